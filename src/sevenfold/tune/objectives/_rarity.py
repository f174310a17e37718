"""What an objective of labels can do where some labels are rare: weights, points between texts, several heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sevenfold.tune.objectives._labels import Reading

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.chat.encoder import TokenSequence
    from sevenfold.prepare.dataset import Row
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.objectives import Figures

KEY = "key"
"""The column by which what is drawn of a text is drawn."""
NOTHING = -1.0
"""The key of a text of which nothing is drawn: in validation the loss is the plain one."""


class Rarity(Reading):
    """Fields and figures for rare labels; one label a text but for the weights.

    With ``smote`` every text of a label with n rows, where the commonest has N, also counts ``smote (N / n - 1)`` times
    as a point between it and a near text of its label in the same step, so that at 1 all labels count the same. The
    points lie between the states that the head reads; nearness is that of these states. ``bagging`` gives each head a
    Poisson(1) draw of the rows and answers with the mean of their probabilities; ``boosting`` counts a text to each
    head as far as those before it have not learnt it, and answers with their weighted sum. The formulas and sources
    are in ``tune/engine/rarity.py``. All heads read the same states: what moves below them moves for all.
    """

    counts: tuple[int, ...] = Field((), description="Training rows of each label; default: counted.")
    weights: Literal["equal", "balanced"] = Field(
        "equal", description="balanced: rare labels count more, as their share of the rows is smaller."
    )
    gamma: float = Field(0.0, ge=0, description="Focal loss: how much less a text counts that is easy; 0: not at all.")
    smote: float = Field(
        0.0, ge=0, le=1, description="How far rare labels are filled up with points between their texts; 1: to the top."
    )
    neighbours: int = Field(5, ge=1, description="SMOTE: nearest texts of a label from which the other end is drawn.")
    ensemble: Literal["none", "bagging", "boosting"] = Field("none", description="How several heads learn.")
    heads: int = Field(8, ge=2, le=256, description="Heads of an ensemble.")

    @property
    def count_of_heads(self) -> int:
        """Heads, 1 without an ensemble."""
        return 1 if self.ensemble == "none" else self.heads

    @property
    def joint(self) -> bool:  # type: ignore[override]
        """Whether texts of a whole step are looked at together, as neighbours."""
        return self.smote > 0

    @property
    def keyed(self) -> bool:
        """Whether something is drawn of each text."""
        return self.smote > 0 or self.ensemble == "bagging"

    def key(self, row: Row) -> float:
        """The key of a row: 24 bits of a hash of where it comes from."""
        from hashlib import blake2b

        return float(int.from_bytes(blake2b(row.origin.encode("utf-8", "surrogatepass"), digest_size=3).digest()))

    @cached_property
    def fill(self) -> list[float]:
        """What the points of a text of each label count, for one of the text itself."""
        most = max(self.counts, default=0)
        return [self.smote * (most / count - 1) if count else 0.0 for count in self.counts]

    def fill_of(self, labels_B: Tensor, batch: Pass) -> Tensor:
        """What each text's points count, ``B``; 0 where nothing is drawn."""
        from sevenfold.tune.engine.labels import at_texts

        fill_B = labels_B.new_tensor(self.fill, dtype=batch.weights_N.dtype)[labels_B]
        return fill_B * (at_texts(batch.columns[KEY], batch) >= 0)

    def of_heads(self, outputs: Tensor, labels: int) -> Tensor:
        """The logits of each head, ``B x H x K``; states that stand behind them are left out."""
        heads = self.count_of_heads
        return outputs[:, : heads * labels].unflatten(1, (heads, labels))

    def together(self, outputs: Tensor, labels: int) -> Tensor:
        """The logits of all heads as one, ``B x K``."""
        from sevenfold.tune.engine import rarity

        logits_BHK = self.of_heads(outputs, labels)
        if self.ensemble == "none":
            return logits_BHK[:, 0]
        return rarity.mean_of_heads(logits_BHK) if self.ensemble == "bagging" else rarity.sum_of_heads(logits_BHK)

    def shares(self, logits_BHK: Tensor, labels_B: Tensor, batch: Pass) -> Tensor:
        """What each text counts to each head, ``B x H``."""
        import torch

        from sevenfold.tune.engine import labels, rarity

        if self.ensemble == "bagging":
            return rarity.bootstrap(labels.at_texts(batch.columns[KEY], batch), self.heads)
        if self.ensemble == "boosting":
            return rarity.boosted(logits_BHK, labels_B)
        return torch.ones_like(logits_BHK[..., 0])

    def points(self, outputs: Tensor, labels_B: Tensor, batch: Pass, labels: int) -> Tensor:
        """The logits of each text's point, ``B x H x K``: heads are linear, so that a point's are between those."""
        from sevenfold.tune.engine import rarity
        from sevenfold.tune.engine.labels import at_texts

        keys_B, wide = at_texts(batch.columns[KEY], batch), self.count_of_heads * labels
        found = rarity.between(outputs[:, :wide], outputs[:, wide:].detach(), labels_B, keys_B, self.neighbours)
        return self.of_heads(found, labels)

    def validation(
        self, forward: Forward, rows: Sequence[Row], sequences: list[TokenSequence], budget: int
    ) -> tuple[float, Figures]:
        """The mean loss with nothing drawn."""
        plain = [
            replace(one, columns={**one.columns, KEY: [NOTHING] * len(one)}) if self.keyed else one for one in sequences
        ]
        return super().validation(forward, rows, plain, budget)
