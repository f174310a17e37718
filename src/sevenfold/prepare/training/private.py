"""Rows that stand in for private ones: written without them, and chosen by them only through noise."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from random import Random, SystemRandom
from typing import Annotated

from pydantic import Field, model_validator

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import DataError
from sevenfold.findings import Findings
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.files import fingerprint
from sevenfold.prepare.making.candidates import Candidate, distinct, from_file, varied, written_by
from sevenfold.prepare.making.endpoint import Asking, Endpoint
from sevenfold.prepare.making.gaussian import noise_for
from sevenfold.prepare.making.votes import noised, votes
from sevenfold.prepare.naming import REPLY, value_of
from sevenfold.prepare.shelf import Shelf
from sevenfold.prepare.training import Change
from sevenfold.prepare.work import Work
from sevenfold.schema import Chosen
from sevenfold.vectors import VECTORS, Vectors

REASON = "private"
"""Why the private rows go."""


def default_vectors() -> Vectors:
    """Sentence embeddings: what a row is about counts, not its letters."""
    return VECTORS.find("e5")()


class Private(Change):
    """Candidates take the place of the private training rows, which only vote: the nearest ones stay, behind noise.

    (epsilon, delta)-differential privacy of the made rows, for one row more or fewer, through the Gaussian mechanism.
    The validation and test rows, `dropped.jsonl` and the report's counts are not protected: share the made rows, or
    what was trained on them, and nothing else. A person with several rows is protected less. Memory is flat in rows.
    """

    epsilon: float = Field(gt=0, le=50, description="The privacy loss; 1 protects well, 10 hardly.")
    delta: float = Field(1e-5, gt=0, lt=1, description="The probability with which more is lost; far below 1 / rows.")
    candidates: str | None = Field(
        None, description="A .jsonl file with prompt, completion and perhaps the label, written without the rows."
    )
    endpoint: Endpoint | None = Field(None, description="A model that writes candidates, and variations of those kept.")
    about: str = Field("", description="What the task is, in words that betray no row: all that the model is told.")
    written: int = Field(100, ge=2, description="Candidates that the model writes at first.")
    rounds: int = Field(
        1, ge=1, le=20, description="Votes; between two the model varies what was kept. More: more noise."
    )
    keep: int = Field(50, ge=1, description="Candidates that stay; with labels, of each the same number.")
    by: str | None = Field(None, description="The label's column, or reply: rows vote for candidates of their label.")
    labels: tuple[str, ...] = Field((), description="The labels that the model writes for; with by and an endpoint.")
    vectors: Annotated[Vectors, Chosen(VECTORS)] = Field(
        default_factory=default_vectors, description="By which it is seen which candidate is nearest to a row."
    )
    noise_seed: int | None = Field(
        None, description="For trials: the same noise each time. Who knows it can take the noise away: no protection."
    )

    @model_validator(mode="after")
    def has_candidates(self) -> Private:
        """Refuse a form without candidates, and rounds that nobody writes for."""
        if self.candidates is None and (self.endpoint is None or not self.about):
            raise ValueError("name candidates: a file, or an endpoint that writes them together with about")
        if self.rounds > 1 and self.endpoint is None:
            raise ValueError(f"{self.rounds} rounds need an endpoint, which varies what was kept")
        if self.endpoint and self.by and not self.labels and self.candidates is None:
            raise ValueError("labels: with by, the model has to be told for which labels to write")
        return self

    def fingerprints(self) -> dict[str, str]:
        """The candidates' file."""
        return {} if self.candidates is None else {self.candidates: fingerprint(Path(self.candidates))}

    def rows(self, shelf: Shelf, work: Work) -> Generator[Row, None, Findings]:
        """The candidates that stay, in place of the rows."""
        sigma = noise_for(self.epsilon, self.delta, self.rounds)
        asking = Asking(self.endpoint, work) if self.endpoint else None
        found = self.first(asking)
        at_first = len(found)
        gauss = self.gauss(work)
        with work.console.task(f"{work.name} (votes)", self.rounds) as task:
            for number in range(self.rounds):
                if number and asking:
                    found = distinct([*found, *varied(found, asking, number)])
                counts = votes(self.vectors, self.private(shelf), [(one.text, one.label) for one in found])
                told = noised(counts.tolist(), sigma, gauss)
                found = self.chosen(found, told)
                task.advance(1)
        for row in shelf:
            work.drop(row, REASON)
        for one in found:
            yield work.make(self.conversation(one), [], self.fields(one))
        return self.findings(at_first, sigma, asking, work)

    def private(self, shelf: Shelf) -> Iterator[tuple[str, str]]:
        """The rows as they vote."""
        for row in shelf:
            asked = " ".join(turn.content for turn in row.conversation.messages if turn.role == "user")
            yield f"{asked}\n{row.conversation.reference()}", value_of(row, self.by) if self.by else ""

    def gauss(self, work: Work) -> Callable[[float, float], float]:
        """Where the noise comes from: the operating system, so that nobody can compute it again."""
        if self.noise_seed is None:
            return SystemRandom().gauss
        work.warn(f"{work.name}: the noise comes from noise_seed, so that the made rows are not protected")
        return Random(self.noise_seed).gauss

    def first(self, asking: Asking | None) -> list[Candidate]:
        """The candidates before anybody votes.

        Raises:
            DataError: There are too few.
        """
        found = list(from_file(self.candidates, self.by)) if self.candidates else []
        if not found and asking:
            found = list(written_by(asking, self.about, self.written, self.labels))
        found = distinct(found)
        if len(found) <= 1:
            raise DataError(
                f"there are {len(found)} candidates to choose from",
                where=self.candidates or "the model's answers, requests-*.jsonl in the stage's folder",
                expected="more of them than are kept",
                next_step="give more candidates, or a model that writes rows as asked",
            )
        return found

    def chosen(self, found: list[Candidate], told: list[float]) -> list[Candidate]:
        """The candidates with the most votes as told, of each label the same number."""
        labels = sorted({one.label for one in found})
        each = max(1, self.keep // len(labels))
        ranked = sorted(range(len(found)), key=lambda place: -told[place])
        kept = [place for label in labels for place in [one for one in ranked if found[one].label == label][:each]]
        return [found[place] for place in sorted(kept)]

    def conversation(self, one: Candidate) -> Conversation:
        """A candidate as a row says it."""
        return Conversation((Message("user", one.prompt), Message("assistant", one.reply)))

    def fields(self, one: Candidate) -> dict[str, str]:
        """A made row's columns."""
        label = {self.by: one.label} if self.by and self.by != REPLY else {}
        return {**label, "synthetic": "true", "made_with": REASON}

    def findings(self, at_first: int, sigma: float, asking: Asking | None, work: Work) -> Findings:
        """What was made, with what protection."""
        held = self.noise_seed is None
        said = (
            f"{work.made:,} rows stand in for the private ones, chosen from {at_first:,} candidates; "
            f"epsilon {self.epsilon:g}, delta {self.delta:g}{'' if held else ', but with noise that can be computed'}."
        )
        figures = {
            "made": work.made,
            "candidates": at_first,
            "epsilon": self.epsilon,
            "delta": self.delta,
            "noise_votes": sigma,
            "rounds": self.rounds,
            "protected": held,
            "requests": asking.asked if asking else 0,
        }
        advice = [
            "Share the made rows or what is trained on them alone: the held-out rows and dropped.jsonl are private.",
            f"The noise has a standard deviation of {sigma:.1f} votes: with far fewer rows a candidate, it decides.",
        ]
        return Findings("Private rows", said, figures, advice=advice)
