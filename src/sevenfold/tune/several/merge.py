"""Several adapters to one: layer by layer, with what was kept and what the user should know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.errors import ModelError, RecipeError
from sevenfold.tune.several import files, provenance
from sevenfold.tune.several.combinations import COMBINATIONS, Combination, Combined, Layer, Weighted
from sevenfold.tune.several.files import PREFIX, LoraFile

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class Merged:
    """What a merge gave.

    Args:
        folder: The new adapter.
        layers: How many layers it changes.
        rank: Its rank.
        energy: Share of the squares of the whole combined change that the rank keeps; None where nothing is cut.
        worst_layer: The layer that lost most, and its share.
        warnings: What to look at before it is used.
    """

    folder: Path
    layers: int
    rank: int
    energy: float | None
    worst_layer: tuple[str, float] | None
    warnings: list[str] = field(default_factory=list)


def merge(parents: Sequence[LoraFile], weights: Sequence[float], how: Combination, seed: int, folder: Path) -> Merged:
    """Write one adapter that is a combination of several.

    Args:
        parents: Adapters of one base.
        weights: How much each counts.
        how: The combination.
        seed: Of what is drawn at random.
        folder: Gets the adapter in PEFT's format, and ``sevenfold.json`` with parents, weights and combination.

    Raises:
        RecipeError: There are fewer than two parents, or not as many weights, or they cannot be combined in this way.
        ModelError: The parents are not of one base.
    """
    import torch

    if len(parents) < 2 or len(weights) != len(parents):
        raise RecipeError(
            f"{len(parents)} adapters with {len(weights)} weights",
            expected="two adapters or more, and a weight for each",
            next_step="for example --weights 0.7,0.3; without weights all count the same",
        )
    generator = torch.Generator().manual_seed(seed)
    found: dict[str, Combined] = {}
    largest = max(parent.rank for parent in parents)
    for name in sorted({name for parent in parents for name in parent.names}):
        weighted = [Weighted(parent.pair(name), weight) for parent, weight in zip(parents, weights, strict=True)]
        layer = Layer(name, weighted, largest)
        check_shapes(layer, parents)
        found[name] = how.combine(layer, generator)
    rank = max(len(one.down_RI) for one in found.values())
    files.write(folder, tensors_of(found, rank), config_of(parents, sorted(found), rank))
    provenance.write_merge(folder, parents, weights, COMBINATIONS.name_of(how), how.model_dump(mode="json"), seed)
    kept, total = sum(one.kept for one in found.values()), sum(one.total for one in found.values())
    shares = {name: one.kept / one.total for name, one in found.items() if one.total}
    worst = min(shares, key=lambda name: shares[name]) if shares else None
    return Merged(
        folder=folder,
        layers=len(found),
        rank=rank,
        energy=kept / total if total else None,
        worst_layer=(worst, shares[worst]) if worst else None,
        warnings=[*other_bases(parents), *provenance.shared_formats([parent.folder for parent in parents])],
    )


def check_shapes(layer: Layer, parents: Sequence[LoraFile]) -> None:
    """Refuse changes of layers that have another size.

    Raises:
        ModelError: They differ.
    """
    sizes = {(pair.up_OR.shape[0], pair.down_RI.shape[1]) for pair, _ in layer.there()}
    if len(sizes) > 1:
        raise ModelError(
            f"the adapters change layers of different sizes: {', '.join(f'{o} x {i}' for o, i in sorted(sizes))}",
            where=layer.name,
            expected="adapters of one base model",
            next_step=f"their bases: {', '.join(parent.base or 'unknown' for parent in parents)}",
        )


def tensors_of(found: dict[str, Combined], rank: int) -> dict[str, Tensor]:
    """All pairs by PEFT's names, of one rank; what is missing is zeros."""
    from torch.nn import functional as F

    tensors = {}
    for name, one in found.items():
        missing = rank - len(one.down_RI)
        tensors[PREFIX + name + files.DOWN] = F.pad(one.down_RI, (0, 0, 0, missing))
        tensors[PREFIX + name + files.UP] = F.pad(one.up_OR, (0, missing))
    return tensors


def config_of(parents: Sequence[LoraFile], names: list[str], rank: int) -> dict[str, Any]:
    """PEFT's configuration: the first parent's task and base, scale 1."""
    first = parents[0].config
    return {
        "peft_type": "LORA",
        "task_type": first.get("task_type"),
        "base_model_name_or_path": parents[0].base,
        "r": rank,
        "lora_alpha": rank,
        "use_rslora": False,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": bool(first.get("fan_in_fan_out")),
        "target_modules": names,
        "inference_mode": True,
    }


def other_bases(parents: Sequence[LoraFile]) -> list[str]:
    """A warning where the files name different bases; a path and a name may mean the same one."""
    names = list(dict.fromkeys(parent.base for parent in parents))
    if len(names) < 2:
        return []
    return [f"the adapters name different base models: {', '.join(map(repr, names))}; {names[0]!r} is written down"]
