"""Online DPO: pairs of the best and the worst of the model's own answers, as rewards judge them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sevenfold.chat.encoder import TokenSequence
from sevenfold.tune.objectives import Extra, Figures
from sevenfold.tune.objectives._answers import pairs, target_counts
from sevenfold.tune.objectives._margins import Margins
from sevenfold.tune.objectives._on_policy import REFERENCE, Drawn, OnPolicy

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.load.model import Model
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass

TELLS = "tells"
"""Column: 1 where the pair's answers differ in worth, otherwise 0."""


class OnlineDpo(Margins, OnPolicy):
    """DPO's loss on pairs that are sampled from the model as it stands (Guo et al. 2024, arXiv 2402.04792).

    Of the answers to a prompt the one with the highest reward is preferred to the one with the lowest. Only these two
    are learnt from, so a step reads less than one of ``grpo`` does; the pairs are never unlike what the model says,
    which is where DPO on given pairs goes astray (Xu et al. 2024, arXiv 2404.10719). Prompts whose answers are all
    worth the same make no pair.

    ``loss_type``, ``beta``, ``label_smoothing`` and ``average`` are those of ``dpo``; the start is the model before its
    first step, or with ``reference_decay`` one that follows.
    """

    compares = True

    @property
    def pull(self) -> float:
        """``beta``."""
        return self.beta

    def extra(self, model: Model) -> Extra:
        """All answers are drawn; two of them are read again for what the reference says, and learnt."""
        share = self.answers_each / 2
        return Extra(
            forwards=(share + 1.0) / self.repeats, answers=2, answer_tokens=self.max_new_tokens, repeats=self.repeats
        )

    def learnable(self, forward: Forward, drawn: list[Drawn]) -> tuple[list[TokenSequence], Figures]:
        """The pairs with what the reference says of them, and the share of prompts that made one."""
        telling = [one for one in drawn if min(one.rewards) < max(one.rewards)]
        sequences = [pair(one) for one in telling or drawn[:1]]
        for sequence, said in zip(sequences, self.of_reference(forward, sequences), strict=True):
            sequence.columns[REFERENCE] = said
        return sequences, {"telling prompts": len(telling) / len(drawn)}

    def supposed(self, sequence: TokenSequence) -> TokenSequence:
        """Its first two branches, with columns for proofs."""
        end = sequence.branches[2]
        kept = TokenSequence(sequence.ids[:end], sequence.weights[:end], sequence.task, sequence.branches[:2])
        columns = {REFERENCE: [-6.0 - token % 5 / 4 for token in kept.ids], TELLS: [1.0] * end}
        return replace(kept, columns=columns)

    def losses(self, outputs: Tensor, batch: Pass) -> Tensor:
        """The loss of each pair's margin; none where the answers are worth the same."""
        tells_P = pairs(batch.per_branch(batch.columns[TELLS]) / target_counts(batch))[0]
        return tells_P * super().losses(outputs, batch)


def pair(one: Drawn) -> TokenSequence:
    """A prompt with the best and the worst of its answers; of several that are worth the same, the first drawn."""
    order = sorted(range(len(one.answers)), key=lambda place: -one.rewards[place])
    best, worst = order[0], order[-1]
    found = replace(one, answers=[one.answers[best], one.answers[worst]]).sequence()
    tells = float(one.rewards[best] > one.rewards[worst])
    return replace(found, columns={TELLS: [tells] * len(found)})
