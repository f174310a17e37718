"""Answers that were written from passages: what a judge is asked of them, and what their words tell without one."""

from __future__ import annotations

import math
import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from sevenfold.evaluate.metrics import RowMetric
from sevenfold.evaluate.metrics._columns import cell
from sevenfold.evaluate.metrics._judged import Asked, JudgeFields
from sevenfold.evaluate.metrics.rouge_l import words

if TYPE_CHECKING:
    from sevenfold.evaluate.held_out import Question

END = re.compile(r"(?<=[.!?؟。۔…])\s+|\n+")
STEM = 5
"""Letters of a word that are compared: endings differ where the word is the same (Can et al. 2008, "Information
retrieval on Turkish texts", where five did as well as a stemmer)."""


@dataclass(frozen=True)
class Grounds:
    """An answer with what it was written from.

    Args:
        question: What was asked last.
        chunks: The passages.
        answer: What was answered.
        found_in: In how many passages of all rows each word stands.
        passages: How many those are.
    """

    question: str
    chunks: tuple[str, ...]
    answer: str
    found_in: Counter[str]
    passages: int

    def share(self, of: str, inside: Iterable[str]) -> float:
        """The share of a text's words that some texts have, rare words counting more; 0 of a text without words.

        A word weighs ``log(1 + passages / passages with it)`` (Spärck Jones 1972), so words that stand everywhere
        hardly count and no list of them is needed.
        """
        own, others = stems(of), set[str]().union(*map(stems, inside))
        weights = {word: math.log1p(self.passages / max(self.found_in[word], 1)) for word in own}
        total = sum(weights.values())
        return sum(weight for word, weight in weights.items() if word in others) / total if total else 0.0


class Grounded(RowMetric):
    """A metric of answers that were written from passages, by a judge or by words alone."""

    column: str = Field("context", description="The column with the passages that the answer is written from.")
    separator: str = Field("\n\n", min_length=1, description="What stands between two passages.")
    by: Literal["text", "judge"] = Field(
        "text", description="text: words in common, nobody is asked; judge: the mean of a judge's scores."
    )
    judge: JudgeFields | None = Field(None, description="Who is asked, where it is by judge: a model and an address.")

    @model_validator(mode="after")
    def has_its_judge(self) -> Self:
        """Refuse a judge that is not named or not asked."""
        if (self.by == "judge") != (self.judge is not None):
            raise ValueError("by: judge and judge: {model: ..., address: ...} go together")
        return self

    def values(self, answers: Sequence[str], questions: Sequence[Question]) -> list[float]:
        """Each row's value."""
        passages = [self.passages(question) for question in questions]
        every = {chunk for chunks in passages for chunk in chunks}
        found_in = Counter(word for chunk in every for word in stems(chunk))
        rows = [
            Grounds(question.prompt[-1].content if question.prompt else "", chunks, answer, found_in, len(every))
            for answer, question, chunks in zip(answers, questions, passages, strict=True)
        ]
        if self.judge is None:
            return [self.by_text(row) for row in rows]
        return means(self.judge, [self.asked(row) for row in rows], [question.origin for question in questions])

    def passages(self, question: Question) -> tuple[str, ...]:
        """A row's passages."""
        text = cell(question, self.column, type(self).__module__.rpartition(".")[2])
        # A text that is separators alone is a passage like another, and no division by none.
        return tuple(part.strip() for part in text.split(self.separator) if part.strip()) or (text,)

    @abstractmethod
    def by_text(self, grounds: Grounds) -> float:
        """A row's value from its words."""

    @abstractmethod
    def asked(self, grounds: Grounds) -> list[Asked]:
        """What a judge is asked; the row's value is the mean of its scores, 0 where there is nothing to ask."""


def means(judge: JudgeFields, asked: Sequence[Sequence[Asked]], origins: Sequence[str]) -> list[float]:
    """The mean score of each row; all rows are asked together."""
    flat = [
        Asked(one.criteria, one.conversation, one.answer, one.reference, origin)
        for some, origin in zip(asked, origins, strict=True)
        for one in some
    ]
    scores = iter(judge.scores(flat))
    return [sum(next(scores) for _ in some) / len(some) if some else 0.0 for some in asked]


def sentences(text: str) -> list[str]:
    """The sentences of a text that have a word in them."""
    return [part for part in END.split(text) if words(part)]


def stems(text: str) -> set[str]:
    """The words of a text, each cut to its first letters; numbers whole."""
    return {word if any(map(str.isdigit, word)) else word[:STEM] for word in words(text)}


def numbers(text: str) -> set[str]:
    """The words with a digit, in digits that compare equal in every script."""
    return {"".join(digit(letter) for letter in word) for word in words(text) if any(map(str.isdigit, word))}


def digit(letter: str) -> str:
    """A digit of any script as one of ours; another letter as it is."""
    return str(int(letter)) if letter.isdecimal() else letter
