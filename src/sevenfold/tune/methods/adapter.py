"""Bottleneck adapters: narrow trained networks inside of every block (Houlsby et al. 2019, arXiv 1902.00751)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from sevenfold.errors import ModelError
from sevenfold.tune.methods import Method

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.parts import Parts

WEIGHTS, SETTINGS = "bottleneck.safetensors", "bottleneck.json"
FORMAT = "sevenfold bottleneck 1"


class Adapter(Method):
    r"""``y = h + scale * (act(x D^T + d) U^T + u)`` behind parts of every block, D narrow, U and u zero at the start.

    ``where: both`` is Houlsby's form, behind attention and behind the feed-forward part; ``where: feed_forward`` is
    that of Pfeiffer et al. 2020 (arXiv 2005.00247), with half of the parameters. There x is the part's own output h;
    with ``parallel`` it is the part's input (He et al. 2021, arXiv 2110.04366, who use ``scale: 4`` at the feed-forward
    part). Norms stay frozen. ``2 D R + R + D`` parameters a part, float32.

    There is an activation between the two products, so no weight of the base could stand for them: it is never merged,
    costs its products when it answers, and leaves the base as it is. Use ``lora`` where the model is to be exported
    whole.

    The parts are found by their names in whatever architecture. Where a network adds the residual inside of a part, h
    is the sum. What is saved is ``bottleneck.safetensors`` with ``bottleneck.json``; PEFT has no such method.
    """

    adapter: ClassVar[bool] = True
    mergeable: ClassVar[bool] = False
    reduction: int = Field(16, ge=1, description="Hidden width divided by the adapter's; not used where width is set.")
    width: int | None = Field(None, ge=1, description="The adapter's own width; null: as reduction says.")
    activation: Literal["relu", "gelu", "silu", "tanh"] = Field("relu", description="What stands between the products.")
    where: Literal["both", "attention", "feed_forward"] = Field(
        "both", description="The parts of a block that have an adapter."
    )
    parallel: bool = Field(False, description="The adapter reads the part's input instead of its output.")
    scale: float = Field(1.0, gt=0, description="Factor of what an adapter adds.")

    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """The run's precision: frozen weights need no more."""
        return precision

    def attach(self, network: PreTrainedModel) -> None:
        """Freeze the base and hang an adapter on each part."""
        from sevenfold.tune.engine.bottleneck import Bottleneck

        network.requires_grad_(False)
        hidden = network.config.get_text_config().hidden_size
        with network.device:
            for name in self.parts(network):
                made = Bottleneck(hidden, self.narrow(hidden), self.activation, self.scale, self.parallel)
                made.hang(network.get_submodule(name))

    def narrow(self, hidden: int) -> int:
        """The adapter's width in a network of a hidden width."""
        return self.width or max(1, hidden // self.reduction)

    def parts(self, network: PreTrainedModel) -> list[str]:
        """The full names of the parts that get an adapter.

        Raises:
            ModelError: There is no such part, or it cannot be read in parallel.
        """
        from sevenfold.tune.engine import bases, blocks, parts

        found = [
            f"{path}.{name}"
            for path, block in blocks.named(network).items()
            for name in self.chosen(parts.of_block(block))
        ]
        if not found:
            raise ModelError(
                f"no part of the blocks of {type(network).__name__} is known as {self.where.replace('_', '-')}",
                where="tune.method.adapter.where",
                next_step="another value of where; or tune.method: lora",
            )
        single = [name for name in found if bases.fits(network.get_submodule(name))]
        if self.parallel and single:
            raise ModelError(
                f"the layers of the feed-forward part of {type(network).__name__} stand in the block itself "
                f"({single[0]}), so there is no module whose input an adapter could read",
                where="tune.method.adapter.parallel",
                next_step="parallel: false; or where: attention",
            )
        return found

    def chosen(self, own: Parts) -> list[str]:
        """Of a block's parts those that get an adapter."""
        attention = own.attention if self.where != "feed_forward" else []
        return [*attention, *own.feed_forward] if self.where != "attention" else attention

    def settings(self, network: PreTrainedModel) -> dict[str, Any]:
        """What the tensors mean."""
        from sevenfold.tune.engine import beside

        return {
            "format": FORMAT,
            "width": self.narrow(network.config.get_text_config().hidden_size),
            "activation": self.activation,
            "parallel": self.parallel,
            "scale": self.scale,
            "parts": list(beside.all_of(network)),
        }

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write the weights, and the settings beside them."""
        from safetensors.torch import save_file

        found = {name: weight.detach().cpu().contiguous() for name, weight in self.trainable(network).items()}
        save_file(found, folder / WEIGHTS, metadata={"format": "pt"})
        settings = {**self.settings(network), "base": base}
        (folder / SETTINGS).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Hang saved adapters on the parts that they belong to.

        Raises:
            ModelError: They are of another network, or of other settings.
        """
        from safetensors.torch import load_file

        self.attach(network)
        saved = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        for name, value in self.settings(network).items():
            if saved.get(name) != value:
                raise ModelError(
                    f"the saved adapter has {name} = {shortened(saved.get(name))}",
                    where=str(folder / SETTINGS),
                    expected=shortened(value),
                    next_step="load it with the base model and the settings that it was trained with",
                )
        kept = load_file(folder / WEIGHTS)
        for name, weight in self.trainable(network).items():
            weight.data.copy_(kept[name])

    def merge(self, network: PreTrainedModel) -> None:
        """Not possible."""
        raise NotImplementedError("there is an activation between the products of an adapter")

    def unload(self, network: PreTrainedModel) -> None:
        """Take the adapters off."""
        from sevenfold.tune.engine import beside

        beside.take_off(network)


def shortened(value: object) -> str:
    """A value in a message."""
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
