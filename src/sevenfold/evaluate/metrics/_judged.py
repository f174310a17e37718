"""Scores of a judge model, each asked for once and kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from sevenfold import cache
from sevenfold.errors import DataError
from sevenfold.evaluate.jsonl import Kept
from sevenfold.generate.judge import Judge
from sevenfold.record import digest
from sevenfold.schema import Strict

KIND, FILE = "judged", "scores.jsonl"
"""The cache's folder and file of a judge's scores."""


@dataclass(frozen=True)
class Asked:
    """One thing that is judged.

    Args:
        criteria: What a good answer is, in words.
        conversation: The turns before the answer, each a role and a content.
        answer: What is judged.
        reference: A right answer, where there is one.
        origin: The row that it is of.
    """

    criteria: str
    conversation: tuple[tuple[str, str], ...]
    answer: str
    reference: str = ""
    origin: str = ""

    @property
    def turns(self) -> list[dict[str, str]]:
        """The conversation as the judge takes it."""
        return [{"role": role, "content": content} for role, content in self.conversation]


class JudgeFields(Strict):
    """A judge: any service that speaks OpenAI's form, also one of your own model (``sevenfold serve``)."""

    model: str = Field(description="The judge's name at its service.")
    address: str = Field(
        "http://127.0.0.1:8000/v1", description="The base address of the service; rows are sent there."
    )
    key_variable: str = Field("OPENAI_API_KEY", description="The environment variable that holds the service's key.")
    lowest: int = Field(1, ge=0, le=9, description="The worst score, one digit.")
    highest: int = Field(5, ge=0, le=9, description="The best score, one digit.")
    seconds: float = Field(60.0, gt=0, description="The longest that one try may take, seconds.")
    tries: int = Field(3, ge=1, description="Tries in all, when the service is busy or broken.")
    at_once: int = Field(8, ge=1, description="Answers that are judged at the same time.")
    unjudged: Literal["error", "worst"] = Field(
        "error", description="What becomes of an answer that the judge gives no score: end the run, or the worst score."
    )

    @model_validator(mode="after")
    def has_a_scale(self) -> Self:
        """Refuse a scale of one score."""
        if self.lowest >= self.highest:
            raise ValueError(f"lowest ({self.lowest}) has to be below highest ({self.highest})")
        return self

    def scores(self, asked: Sequence[Asked]) -> list[float]:
        """The score of each, 0 for the scale's worst and 1 for its best.

        What this judge was asked before is not asked again, in this run or in another: scores are kept in the cache.

        Raises:
            DataError: The judge gave no score, and that is to be an error.
            MachineError: The judge cannot be asked.
        """
        key = digest({"address": self.address, "model": self.model, "scale": [self.lowest, self.highest]})
        kept = Kept(cache.kept(KIND, key, lambda _: None) / FILE)
        keys = [digest([one.criteria, one.conversation, one.answer, one.reference]) for one in asked]
        missing = {key: one for key, one in zip(keys, asked, strict=True) if key not in kept.values}
        worst: dict[str, float] = {}
        with ThreadPoolExecutor(self.at_once) as pool:
            for some in parts(missing.items(), self.at_once):
                worst |= self.ask(some, kept, pool)
        raw = [worst[key] if key in worst else float(kept.values[key]["score"]) for key in keys]
        return [(score - self.lowest) / (self.highest - self.lowest) for score in raw]

    def ask(self, some: Sequence[tuple[str, Asked]], kept: Kept, pool: ThreadPoolExecutor) -> dict[str, float]:
        """Ask for some scores at once and keep them; those that there are not are given back as the worst."""
        waiting = [
            (key, one, pool.submit(self.judge(one.criteria).score, one.turns, one.answer, one.reference))
            for key, one in some
        ]
        failed = [(key, one, error) for key, one, future in waiting if (error := future.exception()) is not None]
        lost = {key for key, _, _ in failed}
        kept.add({key: {"score": future.result()} for key, _, future in waiting if key not in lost})
        for _, one, error in failed:
            if not isinstance(error, DataError):
                raise error
            if self.unjudged == "error":
                raise DataError(
                    error.problem,
                    where=one.origin,
                    next_step="run it again, what was judged is kept; or unjudged: worst, for the worst score",
                )
        return dict.fromkeys(lost, float(self.lowest))

    def judge(self, criteria: str) -> Judge:
        """Who is asked."""
        names = ("address", "model", "lowest", "highest", "seconds", "tries", "key_variable")
        return Judge(criteria=criteria, **{name: getattr(self, name) for name in names})


def parts(items: Iterable[tuple[str, Asked]], size: int) -> Iterator[list[tuple[str, Asked]]]:
    """The items, some at a time."""
    rest = list(items)
    yield from (rest[start : start + size] for start in range(0, len(rest), size))
