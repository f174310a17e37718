"""Direct preference optimisation: raise what was preferred above what was not, relative to where the model began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.tune.objectives._answers import Pairs
from sevenfold.tune.objectives._margins import Margins

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.tune.engine.passes import Pass


class Dpo(Margins, Pairs):
    """``-log sigmoid(beta d)`` with ``d = log p(chosen)/p0(chosen) - log p(rejected)/p0(rejected)``, and its kin.

    ``p0`` is the model before its first step (Rafailov et al. 2023, arXiv 2305.18290); the network says it before it is
    trained, so there is no second model. The other losses of ``d``:

    * ``hinge``: ``max(0, 1 - beta d)`` (Zhao et al. 2023, arXiv 2305.10425; relative to ``p0``: Liu et al. 2023, arXiv
      2309.06657).
    * ``ipo``: ``(d - 1 / (2 beta))^2`` (Azar et al. 2023, arXiv 2310.12036). It pulls the margin to a number and stops
      there, where the sigmoid goes on; ``d`` is of means over tokens, which makes one ``beta`` fit all lengths.
    * ``robust``: ``((1 - e) l(d) - e l(-d)) / (1 - 2 e)`` with the sigmoid loss ``l``; where a share ``e`` of pairs is
      the wrong way round, its mean is that of ``l`` on clean pairs (Chowdhury et al. 2024, arXiv 2403.00409).

    ``label_smoothing`` is ``e``; with ``sigmoid`` the loss is ``(1 - e) l(d) + e l(-d)``, which is careful instead.
    Run again from a tuned model (``load.model``: a merged export), the new ``p0`` is that model: iterative DPO.
    """

    reference_free: bool = Field(False, description="Leave the start out, as if it gave all answers the same.")

    @property
    def reference(self) -> bool:  # type: ignore[override]
        """Whether the start is compared with."""
        return not self.reference_free

    def relative(self, outputs: Tensor, batch: Pass) -> Tensor:
        """Relative to the start, or as they are."""
        return outputs if self.reference_free else super().relative(outputs, batch)
