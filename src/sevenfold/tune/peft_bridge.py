"""PEFT's tuners in a network that the engine trains: put in, saved, loaded, merged and taken out by PEFT's own code."""

from __future__ import annotations

import copy
import dataclasses
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.errors import MachineError, ModelError, RecipeError
from sevenfold.kind import peft_task
from sevenfold.quiet import import_bitsandbytes

if TYPE_CHECKING:
    import torch
    from peft import PeftConfig, PeftModel
    from transformers import PreTrainedModel

NAME = "default"
"""PEFT's name for the one adapter of a network; plain ``PeftModel.from_pretrained`` takes the same."""
PREFIX = "base_model.model."
"""What stands before the network's own names in an adapter's file."""
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
HELD = "_sevenfold_peft"
"""The attribute of an adapted network that keeps PEFT's own view of it."""
REFUSALS = (ValueError, TypeError, NotImplementedError, RuntimeError, AttributeError, LookupError, AssertionError)
"""What PEFT raises at a network or a setting that a tuner was not made for."""


@dataclasses.dataclass
class Held:
    """PEFT's view of a network.

    Args:
        view: PEFT's model, without the network itself: the network holds this, so it could else never be freed.
        said: What PEFT warned of when it was made.
    """

    view: PeftModel
    said: list[str]


def config_of(peft_type: str, fields: dict[str, Any], network: PreTrainedModel, where: str) -> PeftConfig:
    """A configuration of PEFT's from its fields.

    Args:
        peft_type: PEFT's name in capitals, such as ``LOHA``.
        fields: As PEFT names them; what is left out has PEFT's default.
        network: What it is for: transposed layers and PEFT's defaults by architecture.
        where: The place in the recipe, for errors.

    Raises:
        RecipeError: PEFT knows no such field, or refuses a value.
    """
    kind = config_class(peft_type)
    known = [field.name for field in dataclasses.fields(kind) if field.init]
    for name in fields:
        if name not in known:
            raise RecipeError(
                f"PEFT's {kind.__name__} has no field {name!r}", where=where, value=name, alternatives=known
            )
    if "fan_in_fan_out" in known:
        fields = {"fan_in_fan_out": has_transposed(network), **fields}
    try:
        with collected([]):
            return kind(task_type=peft_task(network.config), **fields)
    except REFUSALS as error:
        raise RecipeError(f"PEFT's {kind.__name__} refuses: {error}", where=where) from error


def require() -> None:
    """Import PEFT for the first time; it is an extra.

    Raises:
        MachineError: It is not installed.
    """
    try:
        with suppress(ImportError):
            import_bitsandbytes()
        import peft  # noqa: F401
    except ImportError as error:
        raise MachineError(
            f"the method needs the package peft: {error}", next_step="pip install 'sevenfold[peft]'"
        ) from error


def config_class(peft_type: str) -> Any:
    """PEFT's class of settings for one of its types."""
    from peft import PEFT_TYPE_TO_CONFIG_MAPPING, PeftType

    return PEFT_TYPE_TO_CONFIG_MAPPING[PeftType(peft_type)]


def has_transposed(network: PreTrainedModel) -> bool:
    """Whether the network's linear layers hold their weights as ``I x O``, as GPT-2's do."""
    from sevenfold.tune.engine import bases

    return any(bases.is_transposed(part) for part in network.modules())


def attach(network: PreTrainedModel, config: PeftConfig, where: str) -> None:
    """Freeze the base and put PEFT's layers in, to be trained: what moves is float32.

    Raises:
        RecipeError: PEFT refuses the network.
    """
    put_in(network, config, where)
    for weight in network.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()


def put_in(network: PreTrainedModel, config: PeftConfig, where: str) -> None:
    """Freeze the base and put PEFT's layers in, their weights in the types that PEFT computes with.

    Raises:
        RecipeError: PEFT refuses the network.
    """
    from peft import PeftType, get_peft_model

    said: list[str] = []
    try:
        with collected(said):
            # Without a task: PEFT's models of a task change how a network is called, which the engine does itself.
            view = get_peft_model(network, without_task(config))
    except REFUSALS as error:
        raise RecipeError(
            f"PEFT's {PeftType(config.peft_type).value} cannot be put into {type(network).__name__}: {error}",
            where=where,
            next_step="other target_modules; or another method, such as tune.method: lora",
        ) from error
    view.peft_config[NAME].task_type = config.task_type
    del view.base_model.model
    vars(network)[HELD] = Held(view, list(dict.fromkeys(said)))


def without_task(config: PeftConfig) -> PeftConfig:
    """A copy of the settings for a network of any kind."""
    own = copy.copy(config)
    own.task_type = None
    return own


@contextmanager
def collected(said: list[str]) -> Iterator[None]:
    """Gather warnings instead of writing them between the lines of a run."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    said += [str(item.message) for item in caught if not issubclass(item.category, FutureWarning | DeprecationWarning)]


@contextmanager
def opened(network: PreTrainedModel) -> Iterator[PeftModel]:
    """PEFT's model around the network, for as long as the block lasts."""
    view = vars(network)[HELD].view
    view.base_model.model = network
    try:
        with collected([]):
            yield view
    finally:
        del view.base_model.model


def settings(network: PreTrainedModel) -> Any:
    """PEFT's configuration of an adapted network: live, and of the type's own class."""
    held: Held = vars(network)[HELD]
    return held.view.peft_config[NAME]


def said(network: PreTrainedModel) -> list[str]:
    """What PEFT warned of when the adapter was put in."""
    held: Held = vars(network)[HELD]
    return held.said


def tensors(network: PreTrainedModel) -> dict[str, torch.Tensor]:
    """What an adapter's file holds, by PEFT's names."""
    from peft import get_peft_model_state_dict

    with opened(network) as view:
        # Embeddings are frozen, and to find out whether they are another size PEFT would ask the network.
        found = get_peft_model_state_dict(view, save_embedding_layers=False)
    # Files take neither gaps nor memory that two names share.
    return {name: value.detach().cpu().contiguous().clone() for name, value in found.items()}


def save(network: PreTrainedModel, folder: Path, base: str) -> None:
    """Write the adapter as PEFT does; the files depend on nothing but the weights and the settings."""
    write(tensors(network), settings(network), folder, base)


def write(found: dict[str, torch.Tensor], config: PeftConfig, folder: Path, base: str) -> None:
    """The two files of PEFT's format."""
    from safetensors.torch import save_file

    save_file(found, folder / WEIGHTS, metadata={"format": "pt"})
    kept = {**config.to_dict(), "base_model_name_or_path": base, "inference_mode": True}
    text = json.dumps(kept, indent=2, sort_keys=True, default=sorted)
    (folder / CONFIG).write_text(text + "\n", encoding="utf-8")


def read(folder: Path, peft_type: str) -> tuple[Any, dict[str, torch.Tensor]]:
    """The settings and the tensors of an adapter's files.

    Raises:
        ModelError: They are not those of this type.
    """
    from safetensors.torch import load_file

    kept = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    if kept.get("peft_type") != peft_type:
        raise ModelError(
            f"{folder} holds an adapter of PEFT's type {kept.get('peft_type')}", expected=f"one of type {peft_type}"
        )
    with collected([]):
        config = config_class(peft_type).from_pretrained(str(folder))
    config.inference_mode = False
    return config, load_file(folder / WEIGHTS)


def load(network: PreTrainedModel, folder: Path, peft_type: str) -> None:
    """Put a saved adapter into a plain network.

    Raises:
        ModelError: The files are of another type, or do not fit the network.
    """
    config, found = read(folder, peft_type)
    put_in(network, config, str(folder))
    fill(network, found, folder)


def fill(network: PreTrainedModel, found: dict[str, torch.Tensor], folder: Path) -> None:
    """Put tensors into an adapted network; all that are needed, and no others.

    Raises:
        ModelError: They do not fit.
    """
    from peft import set_peft_model_state_dict

    expected = tensors(network)
    shapes = {name: value.shape for name, value in found.items()}
    wrong = [name for name, value in expected.items() if shapes.get(name) != value.shape]
    check(network, folder, wrong + [name for name in found if name not in expected])
    with opened(network) as view:
        set_peft_model_state_dict(view, found)


def check(network: PreTrainedModel, folder: Path, wrong: list[str]) -> None:
    """Refuse an adapter of which some names are missing, too many, or of another size.

    Raises:
        ModelError: There are such names.
    """
    if wrong:
        raise ModelError(
            f"the adapter in {folder} does not fit {type(network).__name__}: {', '.join(sorted(wrong)[:5])}",
            next_step="load it with the base model and the method that it was trained with",
        )


def merge(network: PreTrainedModel) -> None:
    """Replace adapted layers by plain ones with the changed weights.

    Raises:
        ModelError: The change is none of the base's weights.
    """
    with opened(network) as view:
        try:
            view.merge_and_unload()
        except REFUSALS as error:
            raise ModelError(
                f"PEFT's {settings(network).peft_type.value} cannot be merged into {type(network).__name__}: {error}",
                next_step="keep the adapter beside its base",
            ) from error
    del vars(network)[HELD]


def unload(network: PreTrainedModel) -> None:
    """Put the plain layers back in their places."""
    with opened(network) as view:
        view.unload()
    del vars(network)[HELD]


def has_targets(peft_type: str, network: PreTrainedModel) -> bool:
    """Whether PEFT knows which layers this type adapts in this architecture, or says itself that it does not."""
    from peft import PEFT_TYPE_TO_TUNER_MAPPING, PeftType

    table = getattr(PEFT_TYPE_TO_TUNER_MAPPING[PeftType(peft_type)], "target_module_mapping", None)
    return table is None or network.config.model_type in table
