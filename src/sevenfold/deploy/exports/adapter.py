"""The adapter alone, in PEFT's format where PEFT knows the method: small, and stands beside the base model."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from sevenfold.deploy.exports import Export
from sevenfold.deploy.material import Material
from sevenfold.record import write_text
from sevenfold.registry import file_of

if TYPE_CHECKING:
    from sevenfold.tune.tuned import Tuned


class Adapter(Export):
    """What was learnt beside the base model, with the tokenizer and a card."""

    def skipped(self, material: Material) -> str | None:
        """A method that changes the whole model leaves no adapter."""
        if material.tuned.adapter:
            return None
        return f"the method {material.tuned.method_name} changes the whole model: there is no adapter to export"

    def write(self, material: Material, folder: Path) -> list[str]:
        """Copy the weights, all adapters where there are several, and add the tokenizer and a card."""
        shutil.copytree(material.tuned.weights, folder, dirs_exist_ok=True)
        material.model.tokenizer().save_pretrained(folder)
        write_text(folder / "README.md", card(material))
        tasks = material.tuned.tasks()
        return [f"a folder a task: {', '.join(sorted(tasks))}; at the top {tasks[0]!r}"] if tasks else []


def card(material: Material) -> str:
    """The model card: what it stands on, how it was made, how it is loaded."""
    model, tuned = material.model, material.tuned
    base = model.card.source or model.card.name
    settings = ", ".join(f"{name} {value}" for name, value in tuned.method_fields.items())
    known = (tuned.weights / "adapter_config.json").exists()
    return f"""---
{"library_name: peft" if known else "library_name: sevenfold"}
base_model: {base}
license: {model.card.licence}
---

# An adapter on {model.card.name}

- Base model: {base}, licence {model.card.licence}
- Method: {tuned.method_name} ({settings})
- Learnt parameters: {tuned.trainable_parameters:,}
- Steps: {tuned.steps:,}, kept: step {tuned.best_step:,}
- Tokens read in training: {tuned.tokens:,}
{head(material)}
Load it beside its base:

```python
{by_peft(base, tuned.tasks()) if known else by_method(base, tuned)}
```
"""


def head(material: Material) -> str:
    """What stands beside the adapter, where it answers with labels."""
    if material.tuned.chosen_objective().writes:
        return ""
    name = next(iter(material.tuned.objective))
    return f"- Head: `objective.safetensors`, of the objective {name}; `sevenfold serve` answers with it\n"


def by_peft(base: str, tasks: tuple[str, ...]) -> str:
    """How PEFT loads it; several are named by their tasks, and one is active at a time."""
    if tasks:
        return f"""{by_peft(base, ())}
for task in {list(tasks)}:
    model.load_adapter(f"this/folder/{{task}}", adapter_name=task)
model.set_adapter({tasks[0]!r})"""
    return f"""from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained({base!r}), "this/folder")
tokenizer = AutoTokenizer.from_pretrained("this/folder")"""


def by_method(base: str, tuned: Tuned) -> str:
    """How the method loads it, where PEFT does not know the method."""
    file = file_of(tuned.chosen_method())
    kind = f"from_file(Path({file.name!r}))" if file else f"find({tuned.method_name!r})"
    return f"""from pathlib import Path

from sevenfold.tune.methods import METHODS
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained({base!r})
METHODS.{kind}(**{tuned.method_fields!r}).load(model, Path("this/folder"))
tokenizer = AutoTokenizer.from_pretrained("this/folder")"""
