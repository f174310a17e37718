"""Adapters in PEFT's LoRA format, read layer by layer: memory holds one layer's pair, not the file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.errors import ModelError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

PREFIX = "base_model.model."
CONFIG_FILE, WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"
DOWN, UP = ".lora_A.weight", ".lora_B.weight"
PLAIN_STARTS = (True, False, "gaussian", "orthogonal")
"""Values of ``init_lora_weights`` under which PEFT leaves the base as it is."""


@dataclass(frozen=True)
class Pair:
    """One layer's low-rank change, ``scale * B A``, float32.

    Args:
        down_RI: A.
        up_OR: B.
        scale: The factor.
    """

    down_RI: Tensor
    up_OR: Tensor
    scale: float

    @property
    def rank(self) -> int:
        """R."""
        return len(self.down_RI)

    def change(self) -> Tensor:
        """What is added to the layer's weight, ``O x I``."""
        return self.scale * (self.up_OR @ self.down_RI)


class LoraFile:
    """A folder with an adapter.

    Args:
        folder: Holds ``adapter_config.json`` and ``adapter_model.safetensors``.

    Raises:
        ModelError: There is none, or it is more than low-rank pairs beside linear layers.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = read_config(folder)
        self.keys = read_keys(folder / WEIGHTS_FILE)
        self.names = sorted(key.removeprefix(PREFIX).removesuffix(DOWN) for key in self.keys if key.endswith(DOWN))

    @property
    def base(self) -> str:
        """The name of the base model, as the file says it."""
        return str(self.config.get("base_model_name_or_path") or "")

    @property
    def rank(self) -> int:
        """The largest rank of its pairs."""
        from safetensors import safe_open

        with safe_open(self.folder / WEIGHTS_FILE, "pt") as file:
            return max(file.get_slice(PREFIX + name + DOWN).get_shape()[0] for name in self.names)

    def pair(self, name: str) -> Pair | None:
        """One layer's change; None where the adapter leaves the layer alone."""
        from safetensors import safe_open

        if PREFIX + name + DOWN not in self.keys:
            return None
        with safe_open(self.folder / WEIGHTS_FILE, "pt") as file:
            down, up = (file.get_tensor(PREFIX + name + side).float() for side in (DOWN, UP))
        return Pair(down, up, self.scale(name, len(down)))

    def scale(self, name: str, rank: int) -> float:
        """The factor of a layer's change: ``alpha / rank``, or ``alpha / sqrt(rank)`` for rsLoRA."""
        own = (
            alpha
            for pattern, alpha in (self.config.get("alpha_pattern") or {}).items()
            if re.match(rf"(.*\.)?({pattern})$", name)
        )
        alpha = float(next(own, self.config["lora_alpha"]))
        return alpha / (math.sqrt(rank) if self.config.get("use_rslora") else rank)


def read_config(folder: Path) -> dict[str, Any]:
    """The configuration of an adapter of low-rank pairs.

    Raises:
        ModelError: There is none, or the adapter is of a kind that is no plain low-rank change.
    """
    config = config_in(folder)
    if more := more_than_pairs(config):
        raise ModelError(
            f"an adapter of {', '.join(more)} cannot be taken apart",
            where=str(folder / CONFIG_FILE),
            expected="peft_type LORA, low-rank pairs beside linear layers and nothing else",
            next_step="merge it into its base and train on from there; or leave it out",
        )
    return config


def config_in(folder: Path) -> dict[str, Any]:
    """An adapter's configuration, of whatever type.

    Raises:
        ModelError: There is none.
    """
    path = folder / CONFIG_FILE
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        inside = sorted(found.parent.name for found in folder.glob(f"*/{CONFIG_FILE}"))
        raise ModelError(
            f"{str(folder)!r} holds no adapter in PEFT's format ({type(error).__name__})",
            where=str(path),
            expected=f"a folder with {CONFIG_FILE} and {WEIGHTS_FILE}",
            alternatives=[f"{folder}/{name}" for name in inside],
            next_step="name the folder 4-tune/weights of a run, or an exported adapter",
        ) from None
    return config


def more_than_pairs(config: Mapping[str, Any]) -> list[str]:
    """What an adapter is beside low-rank pairs of linear layers; empty where it is just these."""
    if config.get("peft_type") != "LORA":
        return [f"type {config.get('peft_type')} with no low-rank pairs"]
    more = [name for name in ("use_dora", "modules_to_save", "lora_bias", "layer_replication") if config.get(name)]
    more += [f"bias: {config['bias']}"] if config.get("bias", "none") != "none" else []
    more += [changes] if (changes := changes_the_base(config)) else []
    return [f"type LORA with {', '.join(more)}"] if more else []


def changes_the_base(config: Mapping[str, Any]) -> str:
    """Why an adapter stands on other weights than the base's own; empty where it does not."""
    if config.get("init_lora_weights", True) in PLAIN_STARTS:
        return ""
    return f"init_lora_weights: {config['init_lora_weights']}, which changes the base's own weights"


def read_keys(path: Path) -> set[str]:
    """The names of an adapter's tensors.

    Raises:
        ModelError: The file is not there or broken, or a tensor is no half of a pair.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            keys = set(file.keys())
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"the adapter's weights cannot be read: {error}",
            where=str(path),
            expected="safetensors; files that need pickle are not opened",
        ) from None
    halves = {key.replace(DOWN, UP) if key.endswith(DOWN) else key.replace(UP, DOWN) for key in keys}
    strange = sorted(key for key in keys if not key.endswith((DOWN, UP)) or key not in halves)
    if strange or not keys:
        raise ModelError(
            f"the adapter holds {', '.join(strange[:3]) or 'nothing'}",
            where=str(path),
            expected=f"pairs of {DOWN} and {UP}, of linear layers",
        )
    return keys


def write(folder: Path, tensors: Mapping[str, torch.Tensor], config: Mapping[str, Any]) -> None:
    """Write an adapter as PEFT reads it, float32.

    Args:
        folder: Is made where it is not there.
        tensors: A and B by PEFT's names.
        config: The fields of PEFT's LoraConfig.
    """
    from safetensors.torch import save_file

    from sevenfold.record import write_json, writing

    kept = {name: weight.float().cpu().contiguous() for name, weight in tensors.items()}
    with writing(folder / WEIGHTS_FILE) as path:
        save_file(kept, path, metadata={"format": "pt"})
    write_json(folder / CONFIG_FILE, config)
