"""LOMO: full tuning by gradient descent inside the backward pass (Lv et al. 2023, arXiv 2306.09782)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.errors import RecipeError
from sevenfold.tune.methods import Needs
from sevenfold.tune.methods._own_optimizer import refuse_optimizer
from sevenfold.tune.methods.full import Full

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.moving import Mover
    from sevenfold.tune.section import TuneSection


class Lomo(Full):
    r"""Every parameter moves, ``W -= rate * g``, as soon as its gradient is known; then the gradient is freed.

    Memory is the weights' and one gradient's: 2 bytes a parameter in bfloat16 where full tuning with AdamW takes 16.
    Weights of type bfloat16 are rounded up or down by chance, so that steps which are smaller than the distance of two
    numbers are not lost; ``float32`` keeps them in float32, 4 bytes.

    Clipping by the gradient's norm (``tune.clip``) needs that norm before anything moves: each step goes forward and
    backward twice. ``clip: null`` goes once; ``clip_value`` then limits each element. With ``adaptive`` (AdaLomo, Lv et
    al. 2023, arXiv 2310.10195) each parameter has a rate of its own, made from means over rows and columns (m + n
    numbers for an m x n matrix), and no clipping is needed; its rate is a share of a weight's size, 5e-4 in the paper.

    Use it where full tuning does not fit; every step must be one pass, for a gradient that waits for another pass would
    have to be kept. Plain descent wants a high learning rate (1e-2 and more) and many steps.
    """

    adaptive: bool = Field(False, description="AdaLomo's rate for each parameter instead of one for all.")
    clip_value: float | None = Field(
        None, gt=0, description="The largest size of an element of the gradient; needs no second pass. null: any."
    )
    float32: bool = Field(
        False, description="Hold the weights in float32; else at the run's precision, rounded by chance."
    )

    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """The run's precision, or float32."""
        import torch

        return torch.float32 if self.float32 else precision

    def notes(self, network: PreTrainedModel) -> list[str]:
        """What moves the weights, which no other field tells."""
        rule = "AdaLomo" if self.adaptive else "plain gradient descent"
        return [f"weights move by {rule}, in the backward pass; tune.optimizer is not used"]

    def check(self, section: TuneSection) -> None:
        """Refuse an optimiser, and clipping that contradicts the method's.

        Raises:
            RecipeError: An optimiser was chosen, or ``tune.clip`` stands beside ``clip_value`` or ``adaptive``.
        """
        refuse_optimizer(section, "lomo moves each weight by its gradient alone")
        other = "adaptive" if self.adaptive else "clip_value"
        if section.clip is not None and (self.adaptive or self.clip_value is not None):
            raise RecipeError(
                f"tune.clip = {section.clip} and lomo's {other} both limit the steps",
                where="tune.clip",
                expected="one of the two",
                next_step=f"tune.clip: null, or leave {other} out",
            )

    def needs(self, section: TuneSection, network: PreTrainedModel, precision: torch.dtype) -> Needs:
        """No state but AdaLomo's sums; one gradient at a time; two rounds for a norm."""
        weights = self.trainable(network)
        adaptive = sum(sum(weight.shape) if weight.ndim == 2 else weight.numel() for weight in weights.values())
        return Needs(
            optimizer_bytes=4 * adaptive if self.adaptive else 0,
            weight_bytes=self.weights_dtype(precision).itemsize,
            in_backward=True,
            rounds=1 if section.clip is None else 2,
        )

    def mover(self, forward: Forward, section: TuneSection, weights: Mapping[str, torch.nn.Parameter]) -> Mover:
        """Descent in the backward pass."""
        from sevenfold.tune.engine import lomo

        optimizer = (lomo.AdaLomo if self.adaptive else lomo.Descent)(weights.values())
        return lomo.Lomo(forward, section, weights, optimizer, self.clip_value)
