"""MeZO: tuning with forward passes alone (Malladi et al. 2023, arXiv 2305.17333)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.errors import RecipeError
from sevenfold.tune.methods import Method, Needs
from sevenfold.tune.methods._own_optimizer import refuse_optimizer

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.moving import Mover
    from sevenfold.tune.section import TuneSection


class Mezo(Method):
    r"""``s = (L(W + eps z) - L(W - eps z)) / (2 eps)``, ``W -= rate * s * z``, z drawn from a normal distribution.

    There is no backward pass: no gradients, no optimiser's state, nothing kept of the forward pass. z is drawn again
    from its seed, in parts, whenever it is needed, so that memory is that of a forward pass over weights of the same
    type. ``E[s^2]`` is the squared norm of the gradient: the history's ``gradient_norm`` is ``|s|``, and ``tune.clip``
    limits ``|s|``.

    Weights are moved in place and back. In float32 they do not come back to the last bit: each of the four additions
    of a step rounds by at most 2^-24 of a weight, which is far below a step and the same in every run; so weights that
    move are float32, whatever the precision. Randomness of the network (dropout) is drawn the same on both sides.

    A step learns along one direction out of as many as there are parameters, so it needs 10 to 100 times the steps, and
    a learning rate 100 to 10,000 times lower than AdamW's (the paper: 1e-7 to 1e-6 for all weights of a model with 13e9
    parameters, 1e-4 to 1e-2 for few of them). ``only`` lets few weights move: the rest is frozen at the run's
    precision. Use it where a model fits for reading and not for learning, from a base that knows the task's language.
    """

    adapter: ClassVar[bool] = False
    eps: float = Field(1e-3, gt=0, description="How far along a direction the loss is looked at.")
    directions: int = Field(1, ge=1, description="Directions of a step; each takes two forward passes.")
    only: list[str] = Field(
        default=[],
        description='Patterns of the names of the parameters that move, such as "*.[qv]_proj.weight"; empty: all.',
    )

    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """Float32; the run's precision where only some weights move, which are float32."""
        import torch

        return precision if self.only else torch.float32

    def attach(self, network: PreTrainedModel) -> None:
        """Free the chosen parameters, in float32."""
        from sevenfold.tune import partial

        partial.move(network, self.chosen(network))

    def chosen(self, network: PreTrainedModel) -> list[str]:
        """The names of the parameters that move.

        Raises:
            RecipeError: A pattern matches nothing.
        """
        from sevenfold.tune import partial

        return partial.matching(network, self.only or ["*"], "tune.method.mezo.only")

    def notes(self, network: PreTrainedModel) -> list[str]:
        """What moves the weights, which no other field tells."""
        return ["weights move by the slope of the loss along random directions; tune.optimizer is not used"]

    def check(self, section: TuneSection) -> None:
        """Refuse what belongs to a backward pass.

        Raises:
            RecipeError: An optimiser was chosen, or steps in the backward pass.
        """
        refuse_optimizer(section, "mezo moves the weights along random directions")
        if section.engine.step_in_backward:
            raise RecipeError(
                "tune.engine.step_in_backward has no meaning with mezo, which has no backward pass",
                where="tune.engine.step_in_backward",
                next_step="leave it out; or tune.method: lomo, which moves weights in the backward pass",
            )

    def needs(self, section: TuneSection, network: PreTrainedModel, precision: torch.dtype) -> Needs:
        """Two forward passes a direction, and nothing else."""
        return Needs(optimizer_bytes=0, backward=False, rounds=2 * self.directions)

    def mover(self, forward: Forward, section: TuneSection, weights: Mapping[str, torch.nn.Parameter]) -> Mover:
        """Slopes along random directions."""
        from sevenfold.tune.engine.mezo import Mezo as Slopes

        return Slopes(forward, section, weights, self.eps, self.directions)

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write the whole model as safetensors with its configuration."""
        from sevenfold.tune import partial

        partial.save(network, folder)

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put the saved weights of the chosen parameters into the network."""
        from sevenfold.tune import partial

        partial.free(network, self.chosen(network))
        partial.load(network, folder)

    def merge(self, network: PreTrainedModel) -> None:
        """Nothing to do: the weights are plain already."""
