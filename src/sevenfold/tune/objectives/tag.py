"""Tagging: a label for each word, by a head on its state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from sevenfold.errors import DataError, ModelError
from sevenfold.generate.labels import Whole
from sevenfold.tune.objectives._labels import Reading, read, read_prompt, row_weight, states, unknown, weighted
from sevenfold.tune.objectives._text import Text, text_of

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.generate.labels import Labelled
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset, Row
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass

OUTSIDE = "O"
"""The tag of a word that belongs to nothing."""


class Tag(Reading):
    """Cross-entropy of each word's tag; tags are BIO: ``B-DATE`` begins an entity, ``I-DATE`` goes on with it, ``O``.

    A word is read from its first or last token (Devlin et al. 2019 take the first; in a causal model only the last has
    read the whole word). The words are those of the text behind the first blank line of the last user turn, and the
    row's field ``tags`` has one for each; its last reply lists the entities, one a line, ``DATE: 3 May``, so that a
    model that writes is asked and measured on the same rows.
    """

    labels: tuple[str, ...] = Field((), description="The tags; default: those of the training rows, O first.")
    field: str = Field("tags", description="The row's field that has the tags, a space between two.")
    token: Literal["first", "last"] = Field("last", description="The token of a word from whose state it is read.")
    none: str = Field("none", description="The answer to a text without entities.")

    def settled(self, dataset: Dataset) -> Tag:
        """With the tags of the training rows."""
        if self.labels:
            return self
        found = {tag for row in dataset.rows("train") for tag in self.tags(row)} - {OUTSIDE}
        if not found:
            raise DataError(
                "no training row has a tag but O",
                where=str(dataset.path("train")),
                expected="tags such as B-DATE and I-DATE",
            )
        kinds = sorted(found, key=lambda tag: (kind_of(tag), tag))
        return self.model_copy(update={"labels": (OUTSIDE, *kinds)})

    def tags(self, row: Row) -> list[str]:
        """A row's tags.

        Raises:
            DataError: It has none, or one that is not of the scheme.
        """
        if self.field not in row.fields:
            raise DataError(
                f"the row has no field {self.field!r}",
                value=self.field,
                alternatives=row.fields,
                where=row.origin,
                next_step="prepare.format: tagged, for rows with the columns tokens and tags",
            )
        tags = row.fields[self.field].split()
        for tag in tags:
            if tag != OUTSIDE and tag[:2] not in ("B-", "I-"):
                raise DataError(
                    f"the tag {tag!r} is not of the BIO scheme", where=row.origin, expected="O, B-NAME or I-NAME"
                )
        return tags

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Each tag's number."""
        return {tag: number for number, tag in enumerate(self.labels)}

    @property
    def measures(self) -> tuple[Any, ...]:
        """F1 of entities, and texts that are all right."""
        return ("entity_f1", "exact_match")

    @property
    def columns(self) -> tuple[str, ...]:
        """The number of the word's tag."""
        return ("label",)

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """The prompt, with one token of each word as a target.

        Raises:
            DataError: There are more or fewer tags than words, or one that is not known.
        """
        from sevenfold.chat.encoder import TokenSequence

        ids = read_prompt(row, encoder)
        places, tags = self.places(text_of(encoder, ids)), self.tags(row)
        if len(places) != len(tags):
            raise DataError(
                f"{len(tags)} tags for {len(places)} words",
                where=row.origin,
                expected="one tag for each word of the text, which white space parts",
                next_step="see that no token has a space in it, and that the text stands behind the first blank line",
            )
        labels = [0.0] * len(ids)
        for place, tag in zip(places, tags, strict=True):
            if tag not in self.numbers:
                raise unknown(f"the tag {tag!r} is not known", where=row.origin, value=tag, alternatives=self.labels)
            labels[place] = float(self.numbers[tag])
        return [TokenSequence(ids, weighted(len(ids), places, row_weight(row)), columns={"label": labels})]

    def places(self, text: Text) -> list[int]:
        """The token that each word is read from."""
        tokens = [text.tokens(*word) for word in text.words()]
        found = [own[0 if self.token == "first" else -1] for own in tokens]
        if len(set(found)) < len(found):
            raise ModelError("two words share a token of this tokenizer", where=repr(text.text[:80]))
        return found

    def own(self, network: PreTrainedModel, model: Model) -> nn.Module:
        """The head."""
        from sevenfold.tune.engine.labels import Head

        return Head(network.config.get_text_config().hidden_size, len(self.labels), self.dropout, bias=True)

    def outputs(self, forward: Forward, batch: Pass) -> Tensor:
        """Logits of each word, ``N x K``."""
        assert forward.own is not None
        found: Tensor = forward.own(states(forward, batch))
        return found

    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """``-sum_i w_i log p_i`` of the words' tags."""
        from sevenfold.tune.engine.labels import softmax_losses

        return (batch.weights_N * softmax_losses(outputs, batch.columns["label"].long())).sum()

    def figures(self, outputs: Tensor, batch: Pass) -> dict[str, Tensor]:
        """The share of words whose tag is right."""
        return {"accuracy": (batch.weights_N * (outputs.argmax(-1) == batch.columns["label"])).sum()}

    def answers(self, forward: Forward, encoder: Encoder, prompts: Sequence[list[int]]) -> list[Labelled]:
        """The entities of each prompt's text, one a line, each with the least probability of its words' tags."""
        from sevenfold.chat.encoder import TokenSequence
        from sevenfold.generate.labels import Labelled

        texts = [text_of(encoder, ids) for ids in prompts]
        kept = [number for number, text in enumerate(texts) if text.words()]
        found = [Labelled(self.none)] * len(prompts)
        sequences = [
            TokenSequence(prompts[number], weighted(len(prompts[number]), self.places(texts[number]), 1.0))
            for number in kept
        ]
        if not kept:
            return found
        states_ND, batch = read(forward, sequences)
        assert forward.own is not None
        probs_N, tags_N = forward.own(states_ND).softmax(-1).max(-1)
        for place, number in enumerate(kept):
            own_N = batch.branches_N == place
            tags = [self.labels[tag] for tag in tags_N[own_N].tolist()]
            found[number] = self.listed(texts[number], tags, probs_N[own_N].tolist())
        return found

    def listed(self, text: Text, tags: list[str], probs: list[float]) -> Labelled:
        """A text's entities as a reply writes them."""
        from sevenfold.generate.labels import Labelled

        words = text.words()
        lines = {
            f"{entity.kind}: {text.text[words[entity.start][0] : words[entity.end - 1][1]]}": min(
                probs[entity.start : entity.end]
            )
            for entity in entities(tags)
        }
        return Labelled("\n".join(lines) or self.none, lines)

    def unread(self) -> Labelled:
        """That there is nothing."""
        from sevenfold.generate.labels import Labelled

        return Labelled(self.none)

    def whole(self, own: nn.Module) -> Whole:
        """``AutoModelForTokenClassification``."""
        config = {"id2label": dict(enumerate(self.labels)), "label2id": self.numbers}
        note = f"a word's tag stands at its {self.token} token"
        return Whole("AutoModelForTokenClassification", config, dict(own.state_dict()), [note])


@dataclass(frozen=True)
class Entity:
    """Words that belong together, ``start`` to before ``end``."""

    kind: str
    start: int
    end: int


def kind_of(tag: str) -> str:
    """What a tag is of: ``DATE`` of ``B-DATE``."""
    return tag[2:]


def entities(tags: Sequence[str]) -> list[Entity]:
    """The entities of a text's tags; one that begins with ``I-`` is an entity too."""
    found: list[Entity] = []
    for place, tag in enumerate(tags):
        if tag == OUTSIDE:
            continue
        last = found[-1] if found else None
        if tag.startswith("I-") and last and last.end == place and last.kind == kind_of(tag):
            found[-1] = replace(last, end=place + 1)
        else:
            found.append(Entity(kind_of(tag), place, place + 1))
    return found
