"""Spectrum: the layers with the clearest signal move (Hartford et al. 2024, arXiv 2406.06623)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from sevenfold.errors import ModelError, RecipeError
from sevenfold.tune.methods import Method

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.spectrum import Ranking

FILE = "spectrum.json"


class Spectrum(Method):
    """Of each kind of linear layer (``q_proj``, ``down_proj``, ...) the ``share`` of blocks with the most signal moves.

    Signal to noise is the sum of the singular values above the edge of the Marchenko-Pastur law over the sum of those
    below, over the largest one; see :func:`sevenfold.tune.engine.spectrum.signal_to_noise`. What moves is whole weights
    with their biases, float32, as in ``full``; what is frozen is at the run's precision. Nothing is computed twice: the
    ratios of weights are remembered by content. The choice is written beside the saved model.

    The cost is the singular values of each linear weight, once: 0.2 s for 576 x 1536 and 4 s for 2048 x 2048 on one
    core, eight times as much for twice the size. When to use: in place of full tuning where optimiser and gradients do
    not fit, or where less is to be forgotten.
    """

    adapter: ClassVar[bool] = False
    share: float = Field(0.25, gt=0, le=1, description="Share of the blocks whose layer moves, of each kind of layer.")
    kinds: list[str] = Field(
        default=[], description="Last parts of the names of kinds of layers; empty: all linear layers of the blocks."
    )
    names: list[str] = Field(
        default=[], description='Patterns of the names of more parameters that move, such as "lm_head.weight".'
    )

    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """The run's precision, for what is frozen."""
        return precision

    def attach(self, network: PreTrainedModel) -> None:
        """Rank the layers and free the chosen ones, in float32."""
        from sevenfold.tune import partial
        from sevenfold.tune.engine import spectrum

        ranking = spectrum.rank(network, self.found_kinds(network), self.share)
        partial.move(network, self.moving(network, ranking))

    def found_kinds(self, network: PreTrainedModel) -> dict[str, list[str]]:
        """The linear layers by kind.

        Raises:
            ModelError: The blocks have no linear layers.
            RecipeError: A kind names none.
        """
        from sevenfold.tune.engine import spectrum

        known = spectrum.kinds(network, [])
        if not known:
            raise ModelError(f"{type(network).__name__} has no linear layers to rank", next_step="tune.method: layers")
        for kind in self.kinds:
            if not spectrum.kinds(network, [kind]):
                last = sorted({name.rsplit(".", 1)[-1] for name in known})
                raise RecipeError(
                    f"no linear layer is of the kind {kind!r}",
                    where="tune.method.spectrum.kinds",
                    value=kind,
                    alternatives=last,
                )
        return spectrum.kinds(network, self.kinds)

    def moving(self, network: PreTrainedModel, ranking: Ranking) -> list[str]:
        """The parameters of the chosen layers and those that patterns name; the ranking stays with the network."""
        from sevenfold.tune import partial

        network.spectrum = ranking  # type: ignore[assignment]
        own = set(ranking.chosen)
        chosen = [name for name, _ in network.named_parameters() if name.rpartition(".")[0] in own]
        return [*chosen, *partial.matching(network, self.names, "tune.method.spectrum.names")]

    def notes(self, network: PreTrainedModel) -> list[str]:
        """Which blocks move, with their ratios, and what that took."""
        found = ranking_of(network)
        lines = [f"signal to noise of {len(found.ratios)} linear weights in {found.seconds:.1f} s; what moves:"]
        for kind, names in self.found_kinds(network).items():
            order = sorted(names, key=lambda name: -found.ratios[name])
            moving = ", ".join(f"{numbers(name)} ({found.ratios[name]:.3g})" for name in order if name in found.chosen)
            rest = [found.ratios[name] for name in order if name not in found.chosen]
            lines.append(f"  {kind}: block {moving}" + (f"; of the others at most {max(rest):.3g}" if rest else ""))
        return ["\n".join(lines)]

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write the whole model as safetensors with its configuration, and the choice beside it."""
        from sevenfold.record import write_json
        from sevenfold.tune import partial

        partial.save(network, folder)
        found = ranking_of(network)
        write_json(folder / FILE, {"base": base, "chosen": found.chosen, "ratios": found.ratios})

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put the saved weights of the layers that were chosen into the network."""
        from sevenfold.tune import partial

        partial.free(network, self.moving(network, self.read(network, folder / FILE)))
        partial.load(network, folder)

    def read(self, network: PreTrainedModel, path: Path) -> Ranking:
        """The saved choice.

        Raises:
            ModelError: It names layers that the network does not have.
        """
        from sevenfold.tune.engine.spectrum import Ranking

        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        modules = {name for name, _ in network.named_modules()}
        unknown = [name for name in kept["chosen"] if name not in modules]
        if unknown:
            raise ModelError(
                f"the network has no layer {unknown[0]}",
                where=str(path),
                next_step="load the base model that was tuned",
            )
        return Ranking(kept["ratios"], kept["chosen"])

    def merge(self, network: PreTrainedModel) -> None:
        """Nothing to do: the weights are plain already."""


def ranking_of(network: PreTrainedModel) -> Ranking:
    """The ranking that stays with an attached or loaded network."""
    found: Ranking = network.spectrum  # type: ignore[assignment]
    return found


def numbers(name: str) -> str:
    """The number of a layer's block, and its expert's if it has one."""
    return "/".join(part for part in name.split(".") if part.isdigit())
