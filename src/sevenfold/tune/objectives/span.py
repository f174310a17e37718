"""Extractive question answering: where in a text the answer stands, by a head on the states of its tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.errors import DataError, RecipeError
from sevenfold.generate.labels import Whole
from sevenfold.tune.objectives._labels import Reading, read, read_prompt, row_weight, states, weighted
from sevenfold.tune.objectives._text import Text, text_of

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.generate.labels import Labelled
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Row
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.section import TuneSection


class Span(Reading):
    """Cross-entropy of the answer's first token and of its last, each a softmax over the tokens of the text.

    ``-(log p_start + log p_end) / 2`` (Devlin et al. 2019, arXiv 1810.04805, section 4.2); the prompt's last token
    stands for no answer (section 4.3). The text is what stands behind the first blank line of the last user turn, the
    question before it; the last reply is the answer, word for word as it is in the text, or :attr:`none`. Where it
    stands more than once, the row's field ``start`` says at which character.
    """

    field: str = Field("start", description="The row's field with the answer's first character in the text, from 0.")
    none: str = Field("unanswerable", description="The answer where the text has none.")
    longest: int = Field(30, ge=1, description="Most tokens of an answer.")
    margin: float = Field(0.0, description="How much likelier an answer must be than none, nats.")

    def check(self, section: TuneSection) -> None:
        """Refuse to cut answers off."""
        if section.overlong == "cut":
            raise RecipeError(
                "tune.overlong: cut may take the answer away, and takes the token that stands for none",
                expected="tune.overlong: drop or refuse",
            )

    @property
    def measures(self) -> tuple[Any, ...]:
        """F1 of words, and answers that are right."""
        return ("span_f1", "span_exact")

    @property
    def columns(self) -> tuple[str, ...]:
        """1 at the answer's first token, and at its last."""
        return ("start", "end")

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """The prompt, with the text's tokens and the last one as targets.

        Raises:
            DataError: The answer does not stand in the text, or not where the row says.
        """
        from sevenfold.chat.encoder import TokenSequence

        ids = read_prompt(row, encoder)
        text = text_of(encoder, ids)
        first, last = self.answer(row, text, len(ids))
        columns = {name: weighted(len(ids), [place], 1.0) for name, place in (("start", first), ("end", last))}
        return [TokenSequence(ids, weighted(len(ids), candidates(text, len(ids)), row_weight(row)), columns=columns)]

    def answer(self, row: Row, text: Text, length: int) -> tuple[int, int]:
        """The answer's first and last token; the prompt's last where there is none."""
        said = row.conversation.reference().strip()
        if said == self.none:
            return length - 1, length - 1
        start = self.start(row, text.text, said)
        tokens = text.tokens(start, start + len(said))
        return tokens[0], tokens[-1]

    def start(self, row: Row, text: str, said: str) -> int:
        """The answer's first character: where it stands nearest to the place that the row says.

        Cleaning may have moved it by some characters.
        """
        given = row.fields.get(self.field, "")
        near = int(given) if given.isdecimal() else 0
        starts = [found.start() for found in re.finditer(f"(?={re.escape(said)})", text)] if said else []
        if not starts:
            raise DataError(
                f"the answer {said[:80]!r} does not stand in the text",
                where=row.origin,
                expected=f"words of {text[:80]!r}..., or {self.none!r}",
                next_step="the text is what stands behind the first blank line of the last user turn, the question "
                "before it; prepare.format: squad writes it so",
            )
        return min(starts, key=lambda start: abs(start - near))

    def own(self, network: PreTrainedModel, model: Model) -> nn.Module:
        """The head."""
        from sevenfold.tune.engine.labels import Head

        return Head(network.config.get_text_config().hidden_size, 2, self.dropout, bias=True)

    def outputs(self, forward: Forward, batch: Pass) -> Tensor:
        """Log-probabilities of each target as the answer's first token and as its last, ``N x 2``, nats."""
        return self.logprobs(forward, states(forward, batch), batch)

    def logprobs(self, forward: Forward, states_ND: Tensor, batch: Pass) -> Tensor:
        """The same from states."""
        import torch

        from sevenfold.tune.engine.labels import softmax_of_texts

        assert forward.own is not None
        logits_N2 = forward.own(states_ND)
        return torch.stack([softmax_of_texts(logits_N, batch) for logits_N in logits_N2.unbind(-1)], -1)

    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """The loss of the formula above, summed over texts."""
        return -(batch.weights_N[:, None] * outputs * ends(batch)).sum() / 2

    def weight(self, batch: Pass) -> float:
        """The sum of the texts' weights, whatever number of tokens they have."""
        from sevenfold.tune.engine.labels import at_texts

        return float(at_texts(batch.weights_N, batch).sum())

    def figures(self, outputs: Tensor, batch: Pass) -> dict[str, Tensor]:
        """The share of texts whose likeliest first and last token are both right."""
        import torch

        from sevenfold.tune.engine.labels import at_texts

        highest_B2 = outputs.new_full((batch.branches, 2), -torch.inf).scatter_reduce(
            0, batch.branches_N[:, None].expand(-1, 2), outputs, "amax"
        )
        right_N2 = (outputs == highest_B2[batch.branches_N]) * ends(batch)
        right_B2 = torch.stack([batch.per_branch(right_N) for right_N in right_N2.unbind(-1)], -1)
        return {"accuracy": (at_texts(batch.weights_N, batch) * (right_B2 > 0).all(-1)).sum()}

    def answers(self, forward: Forward, encoder: Encoder, prompts: Sequence[list[int]]) -> list[Labelled]:
        """The likeliest piece of each prompt's text, at most :attr:`longest` tokens, or that there is none."""
        from sevenfold.chat.encoder import TokenSequence

        texts = [text_of(encoder, ids) for ids in prompts]
        places = [candidates(text, len(ids)) for text, ids in zip(texts, prompts, strict=True)]
        sequences = [TokenSequence(ids, weighted(len(ids), own, 1.0)) for ids, own in zip(prompts, places, strict=True)]
        states_ND, batch = read(forward, sequences)
        logprobs_N2 = self.logprobs(forward, states_ND, batch)
        return [
            self.best(text, own, logprobs_N2[batch.branches_N == number])
            for number, (text, own) in enumerate(zip(texts, places, strict=True))
        ]

    def best(self, text: Text, places: list[int], logprobs_N2: Tensor) -> Labelled:
        """The likeliest answer of one text, with the probability of its first token times that of its last."""
        import torch

        from sevenfold.generate.labels import Labelled

        start_M, end_M = logprobs_N2[:-1].unbind(-1)
        none = float(logprobs_N2[-1].sum())
        sums_MM = start_M[:, None] + end_M[None]
        allowed_MM = torch.ones_like(sums_MM, dtype=torch.bool).triu().tril(self.longest - 1)
        scores = sums_MM.masked_fill(~allowed_MM, -torch.inf).flatten()
        if not len(scores) or float(scores.max()) < none + self.margin:
            return Labelled(self.none, {self.none: min(1.0, float(torch.tensor(none).exp()))})
        first, last = divmod(int(scores.argmax()), len(start_M))
        spans = text.spans[places[first]], text.spans[places[last]]
        assert spans[0] is not None
        assert spans[1] is not None
        found = text.text[spans[0][0] : spans[1][1]].strip()
        return Labelled(found, {found: float(scores.max().exp())})

    def unread(self) -> Labelled:
        """That there is nothing."""
        from sevenfold.generate.labels import Labelled

        return Labelled(self.none)

    def whole(self, own: nn.Module) -> Whole:
        """``AutoModelForQuestionAnswering``."""
        note = "only tokens of the text are answers; the prompt's last token stands for none"
        return Whole("AutoModelForQuestionAnswering", {}, dict(own.state_dict()), [note])


def candidates(text: Text, length: int) -> list[int]:
    """The tokens that an answer may begin or end at: the text's, and the prompt's last for none."""
    return [*(number for number, _ in text.inside()), length - 1]


def ends(batch: Pass) -> Tensor:
    """1 at the answer's first token and at its last, ``N x 2``."""
    import torch

    return torch.stack([batch.columns["start"], batch.columns["end"]], -1)
