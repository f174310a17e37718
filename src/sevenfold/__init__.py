"""Sevenfold takes a language model through seven stages and proves every hand-over.

The seven functions are the seven commands; each takes the folder for its result, the results it builds on, and the
fields of its section of a recipe::

    import sevenfold

    dataset = sevenfold.prepare("out/1-prepare", source="rows.jsonl")
    model = sevenfold.load("out/2-load", model="smollm2-135m")
    environment = sevenfold.setup("out/3-setup", seed=17)
    tuned = sevenfold.tune("out/4-tune", dataset, model, environment, method="lora", epochs=2)

``sevenfold.run("recipe.yaml")`` does all of it with the record, the report and the proofs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sevenfold import deploy, evaluate, load, monitor, prepare, setup, tune
    from sevenfold.pipeline import run
    from sevenfold.recipe import Recipe

__version__ = "0.1.0"
__all__ = ["Recipe", "deploy", "evaluate", "load", "monitor", "prepare", "run", "setup", "tune"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import sevenfold`` costs nothing."""
    import importlib

    if name not in __all__:
        raise AttributeError(f"module 'sevenfold' has no attribute {name!r}")
    homes = {"Recipe": "sevenfold.recipe", "run": "sevenfold.pipeline"}
    if name in homes:
        return getattr(importlib.import_module(homes[name]), name)
    return importlib.import_module(f"sevenfold.{name}")
