"""Classification by words: the model's own probability of a word for each label, behind a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from sevenfold.chat.conversation import Message
from sevenfold.errors import DataError, ModelError, RecipeError
from sevenfold.tune.objectives._labels import (
    OneLabel,
    labels_of,
    read,
    read_prompt,
    row_weight,
    states,
    unknown,
    weighted,
)

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.generate.labels import Labelled
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset, Row
    from sevenfold.record import Entry
    from sevenfold.setup.environment import Environment
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.section import TuneSection

TEXT, MASK, LABELS = "{text}", "{mask}", "{labels}"
"""What a pattern puts in: the row's text, the place of the answer for an encoder, the labels' words."""
FILLING = ("{text} {mask}", "{text} It is {mask}.", "{mask}: {text}", "{text} All in all, it was {mask}.")
WRITING = ("{text}", "{text}\n\nWhich is it: {labels}?", "Is this {labels}? Answer with one word.\n\n{text}")
"""Patterns that are tried where a recipe names none: for encoders, and for causal models."""
NOTHING = ("N/A", "", "...")
"""Texts that say nothing (Zhao et al. 2021)."""


class Verbalize(OneLabel):
    """``-w_y log p(y)``, where ``p = softmax over labels of log p(word of the label | pattern with the text)``.

    The word's probability is the model's own: at the mask token for an encoder (PET, Schick and Schütze 2020, arXiv
    2001.07676; LM-BFF, Gao et al. 2020, arXiv 2012.15723), at the first token of the reply for a causal model. Nothing
    is new in the network, so it answers before it has seen a single row (its base is the zero-shot answer), and learns
    from a handful. Where there are several patterns or ``search_words``, they are chosen on the training rows before
    the first step. With ``calibrate``, answers are divided by what the model says to texts that say nothing (Zhao et
    al. 2021, arXiv 2102.09690).

    The last reply of a row is its label; the text is what stands behind the first blank line of the question, or all
    of it.
    """

    targets = "text"
    answers_untuned: ClassVar[bool] = True

    words: dict[str, str] = Field(
        default_factory=dict, description="The word of each label, one token long; default: the label itself."
    )
    pattern: str = Field(
        "",
        description="How a text is asked about: {text}, {labels}, for an encoder {mask}; default: chosen of several.",
    )
    patterns: tuple[str, ...] = Field((), description="Patterns to choose from; default: four, or three that write.")
    search_words: int = Field(
        0, ge=0, le=10, description="Tokens of each label that are tried as its word, beside the given; 0: none."
    )
    search_rows: int = Field(64, ge=1, description="Rows of each split on which patterns and words are chosen.")
    calibrate: bool = Field(False, description="Divide by what the model says to texts that say nothing.")

    def check(self, section: TuneSection) -> None:
        """Refuse to cut the place of the answer off, and patterns without a text.

        Raises:
            RecipeError: The prompt would lose its end, or asks about nothing.
        """
        if section.overlong == "cut":
            raise RecipeError("tune.overlong: cut takes the place of the answer away", next_step="tune.overlong: drop")
        for pattern in (self.pattern, *self.patterns):
            if pattern and TEXT not in pattern:
                raise RecipeError(
                    f"the pattern {pattern!r} asks about nothing",
                    where="tune.objective: verbalize",
                    expected=f"{TEXT} in it",
                )

    def settled(self, dataset: Dataset) -> Verbalize:
        """With the labels of the training rows."""
        if self.labels:
            return self
        labels = tuple(sorted({label for _, label in labels_of(dataset)}))
        if not 2 <= len(labels) <= 100:
            raise DataError(
                f"the training rows have {len(labels)} different labels",
                where=str(dataset.path("train")),
                expected="2 to 100; the last reply of a row is its label",
                next_step="for many labels use objective: classify, for free text sft",
            )
        return self.changed(labels=labels)

    def changed(self, **fields: Any) -> Verbalize:
        """The same with other fields."""
        return type(self)(**{**self.model_dump(), **fields})

    def searched(self, model: Model, dataset: Dataset, environment: Environment, entry: Entry) -> Verbalize:
        """With the pattern and the words that answer most training rows right; see :mod:`_verbalisers`."""
        if self.pattern and not self.search_words:
            return self
        from sevenfold.tune.objectives import _verbalisers

        return _verbalisers.best(self, model, dataset, environment, entry)

    def choices(self, encoder: Encoder) -> tuple[str, ...]:
        """The patterns to choose from."""
        if self.pattern:
            return (self.pattern,)
        return self.patterns or (FILLING if fills_in(encoder) else WRITING)

    def word(self, label: str) -> str:
        """The word of a label."""
        return self.words.get(label, label)

    def prompt(self, text: str, encoder: Encoder, fill: str | None = None) -> list[int]:
        """The ids of the pattern with a text; an encoder's has a mask token, or ``fill``, in the answer's place.

        Raises:
            RecipeError: An encoder's pattern has no place for the answer.
        """
        pattern = self.choices(encoder)[0]
        filled = pattern.replace(LABELS, ", ".join(self.word(label) for label in self.labels))
        if fills_in(encoder):
            if MASK not in pattern:
                raise RecipeError(
                    f"the pattern {pattern!r} has no place for the answer of an encoder",
                    where="tune.objective: verbalize",
                    expected=f"{MASK} in it, for example 'It is {MASK}. {TEXT}'",
                )
            mask = encoder.tokenizer.mask_token if fill is None else fill
            filled = filled.replace(MASK, str(mask))
        else:
            filled = filled.replace(MASK, "").rstrip()
        return encoder.prompt((Message("user", filled.replace(TEXT, text)),))

    def place(self, ids: Sequence[int], encoder: Encoder) -> int:
        """The token from whose state the word is predicted: the mask, or the last one before the reply.

        Raises:
            ModelError: There is not one mask.
        """
        if not fills_in(encoder):
            return len(ids) - 1
        found = [place for place, token in enumerate(ids) if token == encoder.tokenizer.mask_token_id]
        if len(found) != 1:
            raise ModelError(f"the prompt has {len(found)} mask tokens", expected="one, where the word stands")
        return found[0]

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """The prompt; the place of the word is the target.

        Raises:
            DataError: The label is none of those that are known.
        """
        label = row.conversation.reference().strip()
        ids = self.around(read_prompt(row, encoder), encoder)
        if label not in self.labels:
            raise unknown(f"there is no label {label!r}", where=row.origin, value=label, alternatives=self.labels)
        return [self.reading(ids, encoder, row_weight(row), float(self.labels.index(label)))]

    def around(self, prompt: Sequence[int], encoder: Encoder) -> list[int]:
        """The ids of the pattern around the text that a server's prompt asks about."""
        from sevenfold.tune.objectives._text import text_of

        return self.prompt(text_of(encoder, prompt).text, encoder)

    def reading(self, ids: list[int], encoder: Encoder, weight: float = 1.0, label: float = 0.0) -> TokenSequence:
        """A prompt with the place of the word as its target."""
        from sevenfold.chat.encoder import TokenSequence

        weights = weighted(len(ids), (self.place(ids, encoder),), weight)
        return TokenSequence(ids, weights, columns={"label": [label] * len(ids)})

    def own(self, network: PreTrainedModel, model: Model) -> nn.Module:
        """The ids of the labels' words; nothing of it is learnt.

        Raises:
            ModelError: The network has no head that knows words.
        """
        if model.card.headless:
            raise ModelError(
                f"{model.card.name} has no head that fills in masked tokens, so no word has a probability",
                where="tune.objective: verbalize",
                expected="an encoder with its masked language modelling head, or a causal model",
                next_step="tune.objective: setfit, or classify",
            )
        from sevenfold.tune.engine.words import Words

        return Words(word_ids(self, model.encoder()))

    def outputs(self, forward: Forward, batch: Pass) -> Tensor:
        """The log-probability of each label's word in each text, ``B x K``, nats."""
        return self.of_states(forward, states(forward, batch))

    def of_states(self, forward: Forward, states_BD: Tensor) -> Tensor:
        """The same of the states at the words' places."""
        ids_K: Tensor = forward.own.ids_K  # type: ignore[union-attr, assignment]
        texts, count = len(states_BD), len(ids_K)
        with forward.autocast():
            logprobs = forward.head(states_BD.repeat_interleave(count, 0), ids_K.to(forward.device).repeat(texts))
        return logprobs.view(texts, count)

    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """Cross-entropy over the labels, summed."""
        from torch import log_softmax

        labels_B = batch.columns["label"].long()
        return -(batch.weights_N * log_softmax(outputs, -1).gather(-1, labels_B[:, None])[:, 0]).sum()

    def figures(self, outputs: Tensor, batch: Pass) -> dict[str, Tensor]:
        """How much of the weight has the right label."""
        return {"accuracy": (batch.weights_N * (outputs.argmax(-1) == batch.columns["label"].long())).sum()}

    def answers(self, forward: Forward, encoder: Encoder, prompts: Sequence[list[int]]) -> list[Labelled]:
        """The likeliest label of each prompt, with every label's probability."""
        from sevenfold.generate.labels import Labelled

        probs_BK = self.probabilities(forward, encoder, [self.around(ids, encoder) for ids in prompts])
        if self.calibrate:
            prior_K = self.probabilities(forward, encoder, [self.prompt(text, encoder) for text in NOTHING]).mean(0)
            probs_BK = calibrated(probs_BK, prior_K)
        return [
            Labelled(
                self.labels[max(range(len(probs)), key=probs.__getitem__)], dict(zip(self.labels, probs, strict=True))
            )
            for probs in probs_BK.tolist()
        ]

    def probabilities(self, forward: Forward, encoder: Encoder, prompts: Sequence[list[int]]) -> Tensor:
        """The probability of each label, ``B x K``."""
        import torch

        states_BD, _ = read(forward, [self.reading(ids, encoder) for ids in prompts])
        with torch.inference_mode():
            return self.of_states(forward, states_BD).softmax(-1)


def calibrated(probs_BK: Tensor, prior_K: Tensor) -> Tensor:
    """``p / p(label | nothing)``, summing to one: ``W = diag(p)^-1`` of Zhao et al. 2021, arXiv 2102.09690."""
    divided_BK = probs_BK / prior_K.clamp(min=1e-12)
    return divided_BK / divided_BK.sum(-1, keepdim=True)


def fills_in(encoder: Encoder) -> bool:
    """Whether the model fills in masked tokens."""
    return isinstance(encoder.tokenizer.mask_token_id, int)


def word_ids(objective: Verbalize, encoder: Encoder) -> list[int]:
    """The token of each label's word.

    Raises:
        DataError: A word is more than one token where one is needed, or two labels begin with the same one.
    """
    found = [word_id(objective.choices(encoder)[0], objective.word(label), encoder) for label in objective.labels]
    for number, token in enumerate(found):
        if token in found[:number]:
            one, other = (objective.labels[place] for place in (found.index(token), number))
            raise DataError(
                f"the words of the labels {one!r} and {other!r} begin with the same token, so neither can be told",
                where="tune.objective: verbalize",
                value=objective.word(other),
                next_step=f"give other words, for example words: {{{one}: yes, {other}: no}}; or objective: classify",
            )
    return found


@lru_cache(4096)
def word_id(pattern: str, word: str, encoder: Encoder) -> int:
    """The token of a word in the answer's place.

    Raises:
        DataError: An encoder needs more than one token for it.
    """
    if not fills_in(encoder):
        return encoder.encode(word)[0]
    asking = Verbalize(pattern=pattern, labels=(word,))
    masked, filled = asking.prompt("", encoder), asking.prompt("", encoder, fill=word)
    place = asking.place(masked, encoder)
    if len(masked) != len(filled) or filled[place] == encoder.tokenizer.unk_token_id:
        raise DataError(
            f"the tokenizer needs {max(0, len(filled) - len(masked)) + 1} tokens for {word!r}"
            if len(masked) != len(filled)
            else f"the tokenizer does not know {word!r}",
            where="tune.objective: verbalize",
            value=word,
            expected="one token, in the place of one mask",
            next_step="give another word, for example words: {your_label: good}; or search_words: 5",
        )
    return filled[place]
