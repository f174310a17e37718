"""BLEU of all answers together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from sevenfold.evaluate.metrics import AnswersMetric, Better

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU

    from sevenfold.evaluate.metrics import Floats


class Bleu(AnswersMetric):
    """Corpus BLEU; 0 to 100, higher is better.

    ``100 min(1, exp(1 - words of the references / words of the answers)) x (product of precisions)^(1 / order)``, where
    the precision of n is the share of the answers' runs of n words that the reference has (Papineni et al. 2002,
    "BLEU: a Method for Automatic Evaluation of Machine Translation"). Words are cut and counted by sacrebleu, and the
    figure is that of its ``corpus_bleu``: a precision of 0 counts as ``1 / (2^k runs)``, k from 1 (its default, "exp").
    A row's own value is its sentence's BLEU over the orders that it has; the figure is not their mean.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "points"
    high: ClassVar[float] = 100.0
    order: int = Field(4, ge=1, le=4, description="The longest run of words: 1 is BLEU-1, 4 is BLEU-4.")
    tokenize: Literal["13a", "intl", "char", "zh", "none"] = Field(
        "13a", description="How sacrebleu cuts words: 13a is the usual one, zh for Chinese, char for characters."
    )

    @cached_property
    def scorer(self) -> BLEU:
        """The metric of sacrebleu with these settings."""
        from sacrebleu.metrics.bleu import BLEU

        return BLEU(max_ngram_order=self.order, tokenize=self.tokenize, effective_order=True)

    def table(self, answers: Sequence[str], references: Sequence[str]) -> Floats:
        """The sentence's BLEU; the number of rows; lengths of answer and reference; common and said runs by order."""
        import numpy as np

        rows = []
        for answer, reference in zip(answers, references, strict=True):
            one = self.scorer.sentence_score(answer, [reference])
            rows.append([one.score, len(answers), one.sys_len, one.ref_len, *one.counts, *one.totals])
        return np.array(rows, dtype=np.float64)

    def finish(self, mean: Floats) -> Floats:
        """The figure from the means: only the smoothing of a precision of 0 has to know of how many rows."""
        import numpy as np

        # The mean of one number is that number but for rounding.
        sums = mean * np.round(mean[..., 1:2])
        said, true = sums[..., 2], sums[..., 3]
        common, runs = sums[..., 4 : 4 + self.order], sums[..., 4 + self.order :]
        missed = (common < 1e-9) & (runs > 1e-9)
        halvings = 2.0 ** missed.cumsum(-1)
        precisions = np.where(missed, 1 / halvings, common) / np.maximum(runs, 1e-12)
        logs = np.log(np.where(precisions > 0, precisions, 1.0)).mean(-1)
        brevity = np.where(said < true, 1 - true / np.maximum(said, 1e-12), 0.0)
        # As sacrebleu: nothing in common at all, or answers too short to have a run of the order, are 0.
        there = (common > 1e-9).any(-1) & (runs > 1e-9).all(-1)
        return np.where(there, 100 * np.exp(logs + brevity), 0.0)
