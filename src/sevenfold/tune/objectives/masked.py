"""Masked language modelling: fill in what was hidden of a text, reading it in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from sevenfold.chat.asked import Asked
from sevenfold.errors import ModelError
from sevenfold.tune.objectives import Collected, Figures, Objective

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.generate.labels import Labelled
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Row
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.methods import Moment

FILLER = -1.0
"""The word of a token that is never hidden: a special one."""


class Masked(Objective):
    """``-sum_i log p(x_i | text with the chosen tokens hidden) / chosen tokens``, for encoders.

    Of each text a share of the tokens is chosen. Of these 80 % become the mask token, 10 % a random token, 10 % stay
    (Devlin et al. 2018, BERT, arXiv 1810.04805); what is learnt is the original token at each. Other tokens are chosen
    at every step (RoBERTa, Liu et al. 2019, arXiv 1907.11692), as a function of the seed and the step's number, so
    that a resumed run sees the same; validation always sees the same choice, which only the text decides.

    It is for adapting an encoder to a domain's own language before it learns a task from few labels. Rows are texts
    (``format: text``); a conversation is read as its template writes it.
    """

    anew = True
    targets = "text"
    here: ClassVar[bool] = True
    writes: ClassVar[bool] = False
    answers_untuned: ClassVar[bool] = True

    share: float = Field(0.15, gt=0, lt=1, description="The share of a text's tokens, or words, that are chosen.")
    whole_words: bool = Field(False, description="Choose words, all pieces of one together, and not single tokens.")
    hidden: float = Field(0.8, ge=0, le=1, description="The share of the chosen that become the mask token.")
    random: float = Field(0.1, ge=0, le=1, description="The share of the chosen that become a random token.")

    @property
    def measures(self) -> tuple[str, ...]:
        """The loss of what is hidden of held-out texts, each text's mean, and what it means as a number of choices."""
        return ("loss", "perplexity")

    @property
    def columns(self) -> tuple[str, ...]:
        """The number of each token's word, and the id of the mask token."""
        return ("word", "mask")

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """The text as the template writes it; every token but the special ones may be chosen.

        Raises:
            ModelError: The tokenizer has no mask token.
        """
        from sevenfold.chat.encoder import TokenSequence

        mask = encoder.tokenizer.mask_token_id
        if not isinstance(mask, int):
            raise no_mask(str(encoder.tokenizer.name_or_path))
        text = encoder.render(row.conversation.messages, reply_follows=False)
        ids = encoder.led(encoder.encode(text))
        words = words_of(text, ids, encoder, self.whole_words)
        weights = [float(word != FILLER) for word in words]
        return [TokenSequence(ids, weights, columns={"word": words, "mask": [float(mask)] * len(ids)})]

    def asked(self, row: Row, encoder: Encoder, context: int) -> Asked:
        """A held-out text, as far as it fits, with the choice of tokens that validation makes."""
        (whole,) = self.sequences(row, encoder)
        columns = {name: values[:context] for name, values in whole.columns.items()}
        shown = replace(whole, ids=whole.ids[:context], weights=whole.weights[:context], columns=columns)
        hidden = self.masked(shown, of_text(shown), len(encoder.tokenizer))
        return Asked(encoder.decode(hidden.ids), encoder.decode(shown.ids, skip_special=True), hidden.ids, hidden)

    def judge(self, forward: Forward, sequences: Sequence[TokenSequence]) -> list[float]:
        """The mean log-probability of what is hidden of each text, nats."""
        import torch

        from sevenfold.tune.engine.passes import pack

        with torch.no_grad():
            batches = [pack([sequence], here=True).to(str(forward.device)) for sequence in sequences]
            return [-float(self.loss(self.outputs(forward, one), one)) / self.weight(one) for one in batches]

    def answers(self, forward: Forward, encoder: Encoder, prompts: Sequence[list[int]]) -> list[Labelled]:
        """Each text with its mask tokens filled in, each by the likeliest token."""
        import torch

        from sevenfold.chat.encoder import TokenSequence
        from sevenfold.generate.labels import Labelled
        from sevenfold.tune.objectives._labels import read

        mask, found = encoder.tokenizer.mask_token_id, []
        for ids in prompts:
            filled, hidden = list(ids), [place for place, token in enumerate(ids) if token == mask]
            if hidden:
                weights = [float(token == mask) for token in ids]
                states_ND, _ = read(forward, [TokenSequence(list(ids), weights)])
                with torch.inference_mode(), forward.autocast():
                    best = forward.head.logits(states_ND).argmax(-1).tolist()
                for place, token in zip(hidden, best, strict=True):
                    filled[place] = token
            found.append(Labelled(encoder.decode(filled, skip_special=True)))
        return found

    def own(self, network: PreTrainedModel, model: Model) -> None:
        """Nothing; a network that cannot fill in is refused.

        Raises:
            ModelError: The network is no encoder, or has no head for it.
        """
        if model.card.kind != "encoder" or model.card.headless:
            what = "is no encoder" if model.card.kind != "encoder" else "has no head that fills in masked tokens"
            raise ModelError(
                f"{model.card.name} {what}",
                where="tune.objective: masked",
                expected="an encoder with its masked language modelling head, such as BERT, RoBERTa or ModernBERT",
                next_step="tune.objective: pretrain for a causal model; embed or classify without a head",
            )

    def collect(self, forward: Forward, rows: Sequence[Row], sequences: list[TokenSequence], at: Moment) -> Collected:
        """The sequences with this step's choice."""
        generator = np.random.default_rng([at.seed, at.step])
        size = vocabulary(forward)
        return Collected([[self.masked(sequence, generator, size) for sequence in sequences]])

    def example(self, sequence: TokenSequence) -> TokenSequence:
        """The sequence with a choice of tokens; random ones are drawn from its own."""
        return self.masked(sequence, of_text(sequence), max(sequence.ids) + 1)

    def validation(
        self, forward: Forward, rows: Sequence[Row], sequences: list[TokenSequence], budget: int
    ) -> tuple[float, Figures]:
        """The mean loss on a choice of tokens that is the same each time."""
        size = vocabulary(forward)
        return super().validation(forward, rows, [self.masked(one, of_text(one), size) for one in sequences], budget)

    def masked(self, sequence: TokenSequence, generator: np.random.Generator, size: int) -> TokenSequence:
        """A sequence with some of its tokens hidden; these alone are targets.

        Args:
            sequence: All of whose tokens with a weight may be chosen.
            generator: Draws which, and what becomes of them.
            size: Of the vocabulary that random tokens are drawn from.
        """
        units = units_of(sequence.columns["word"], sequence.weights)
        chosen = generator.permutation(len(units))[: max(1, round(self.share * len(units)))]
        ids, weights = list(sequence.ids), [0.0] * len(sequence)
        for unit in sorted(chosen.tolist()):
            fate = generator.random()
            for place in units[unit]:
                weights[place] = sequence.weights[place]
                if fate < self.hidden:
                    ids[place] = int(sequence.columns["mask"][place])
                elif fate < self.hidden + self.random:
                    ids[place] = int(generator.integers(size))
        others = {name: values for name, values in sequence.columns.items() if name not in self.columns}
        labels = [float(token) for token in sequence.ids]
        return replace(sequence, ids=ids, weights=weights, columns={**others, "label": labels})

    def outputs(self, forward: Forward, batch: Pass) -> Tensor:
        """The log-probability of the original token at each target, ``N``, nats."""
        return forward(replace(batch, labels_N=batch.columns["label"].long()))

    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """``-sum_i w_i log p_i``."""
        return -(batch.weights_N * outputs).sum()


def no_mask(where: str) -> ModelError:
    """The error for a tokenizer without a mask token."""
    return ModelError(
        "the tokenizer has no mask token",
        where=where,
        expected="an encoder's tokenizer, such as BERT's or RoBERTa's",
        next_step="tune.objective: pretrain, for a causal model",
    )


def vocabulary(forward: Forward) -> int:
    """Rows of the network's embedding; virtual tokens are none."""
    return int(forward.network.config.vocab_size)


def of_text(sequence: TokenSequence) -> np.random.Generator:
    """Draws that only the text decides."""
    return np.random.default_rng(sequence.ids)


def words_of(text: str, ids: Sequence[int], encoder: Encoder, whole: bool) -> list[float]:
    """The number of the word that each token is of; -1: a special or a virtual token, which is of none.

    Args:
        text: The text.
        ids: Its tokens, behind the virtual ones.
        encoder: The tokenizer.
        whole: Whether pieces of one word have one number; otherwise each token has its own.

    Raises:
        ModelError: The tokenizer does not know of words.
    """
    special, lead = set(encoder.tokenizer.all_special_ids), len(encoder.lead)
    numbers: list[int | None] = list(range(len(ids) - lead))
    if whole:
        if not encoder.tokenizer.is_fast:
            raise ModelError("this tokenizer does not say which word a token is of", next_step="whole_words: false")
        numbers = encoder.tokenizer(text, add_special_tokens=False).word_ids()
    known = [
        FILLER if token in special or word is None else float(word)
        for token, word in zip(ids[lead:], numbers, strict=True)
    ]
    return [FILLER] * lead + known


def units_of(words: Sequence[float], weights: Sequence[float]) -> list[list[int]]:
    """What is chosen or not as one: the places of each word's tokens that have a weight."""
    runs = groupby((place for place in range(len(words)) if weights[place] > 0), key=lambda place: words[place])
    return [list(run) for _, run in runs]
