"""What all methods share that put virtual tokens before every conversation."""

from __future__ import annotations

import json
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from sevenfold.errors import ModelError, RecipeError
from sevenfold.kind import peft_task
from sevenfold.tune.methods import Method

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.section import TuneSection

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
TRAINED = "virtual.safetensors"
"""What was trained, where PEFT's file holds only what it gives."""


class Leading(Method):
    """Trained virtual tokens stand before every conversation, in training, scoring and serving; the base is frozen.

    They count in ``tune.max_length`` and in the context. They are no weights of the base's architecture: a vocabulary
    with more rows would have a logit for each of them too, and a model that may write them is another model.
    """

    adapter: ClassVar[bool] = True
    mergeable: ClassVar[bool] = False
    differs_at_start: ClassVar[str] = "virtual tokens stand before every conversation and are attended to"
    source: ClassVar[str] = TRAINED
    """The file that :meth:`load` reads."""
    tokens: int = Field(20, ge=1, description="Virtual tokens before every conversation; each takes room like a word.")

    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """The run's precision: frozen weights need no more."""
        return precision

    def lead(self, vocabulary: int) -> list[int]:
        """The ids behind the vocabulary."""
        return list(range(vocabulary, vocabulary + self.tokens))

    def check(self, section: TuneSection) -> None:
        """Refuse where virtual tokens leave no room for a conversation.

        Raises:
            RecipeError: They fill ``tune.max_length``.
        """
        if self.tokens + 2 > section.max_length:
            raise RecipeError(
                f"{self.tokens} virtual tokens leave no room in tune.max_length = {section.max_length}",
                expected=f"at most {section.max_length - 2}",
                next_step="fewer tokens, or a larger tune.max_length",
            )

    def attach(self, network: PreTrainedModel) -> None:
        """Freeze the base and let it read virtual tokens that move."""
        network.requires_grad_(False)
        self.put_in(network, fresh=network.device.type != "meta")

    @abstractmethod
    def put_in(self, network: PreTrainedModel, fresh: bool) -> None:
        """Hang what moves on the network's layers.

        Args:
            network: Frozen.
            fresh: Whether values matter: they are read off the network or drawn; else they will be loaded.
        """

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put saved virtual tokens before a plain network.

        Raises:
            ModelError: They are of another number or width.
        """
        from safetensors.torch import load_file

        network.requires_grad_(False)
        self.put_in(network, fresh=False)
        self.fill(network, self.named(network, load_file(folder / self.source)), folder)

    def named(self, network: PreTrainedModel, kept: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """What :attr:`source` holds, by the names of what moves."""
        return kept

    def fill(self, network: PreTrainedModel, kept: dict[str, torch.Tensor], folder: Path) -> None:
        """Put saved values into everything that moves.

        Raises:
            ModelError: They are others.
        """
        moving = self.trainable(network)
        wrong = [name for name in moving if name not in kept or kept[name].shape != moving[name].shape]
        wrong += [name for name in kept if name not in moving]
        if wrong:
            raise ModelError(
                f"what was saved does not fit {type(network).__name__} with {self.tokens} virtual tokens: "
                f"{', '.join(wrong[:3])}",
                where=str(folder),
                next_step="load it with the base model and the settings that it was trained with",
            )
        for name, weight in moving.items():
            weight.data.copy_(kept[name])

    def write(self, folder: Path, embeddings: torch.Tensor, config: dict[str, Any]) -> None:
        """PEFT's two files.

        Args:
            folder: Where they go.
            embeddings: What PEFT puts before a conversation, a row for each virtual token.
            config: The fields of PEFT's configuration that say what that is.
        """
        from safetensors.torch import save_file

        flat = embeddings.detach().float().cpu().flatten(1).contiguous()
        save_file({"prompt_embeddings": flat}, folder / WEIGHTS, metadata={"format": "pt"})
        (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

    def write_trained(self, network: PreTrainedModel, folder: Path) -> None:
        """What moves, by name."""
        from safetensors.torch import save_file

        found = {name: weight.detach().cpu().contiguous() for name, weight in self.trainable(network).items()}
        save_file(found, folder / TRAINED, metadata={"format": "pt"})

    def peft_config(self, network: PreTrainedModel, base: str, peft_type: str) -> dict[str, Any]:
        """The fields that PEFT's configurations of virtual tokens share."""
        config = network.config.get_text_config()
        return {
            "peft_type": peft_type,
            "task_type": peft_task(network.config),
            "base_model_name_or_path": base,
            "num_virtual_tokens": self.tokens,
            "num_transformer_submodules": 1,
            "num_layers": config.num_hidden_layers,
            "num_attention_heads": config.num_attention_heads,
            "token_dim": config.hidden_size,
            "inference_mode": True,
        }

    def merge(self, network: PreTrainedModel) -> None:
        """Not possible."""
        raise NotImplementedError("virtual tokens are no weights of the base's architecture")

    def unload(self, network: PreTrainedModel) -> None:
        """Take the hooks off."""
        from sevenfold.tune.engine import beside

        beside.take_off(network)
