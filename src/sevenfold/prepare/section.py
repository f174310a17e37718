"""The recipe's section ``prepare``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from sevenfold.prepare.audits import AUDITS, Audit, default_audits
from sevenfold.prepare.choice import SourceChoice
from sevenfold.prepare.clean import STEPS, Step, default_steps
from sevenfold.prepare.files import fingerprint
from sevenfold.prepare.formats import FORMATS, Format
from sevenfold.prepare.labels.section import Label
from sevenfold.prepare.overlap.references import files_of
from sevenfold.prepare.overlap.settings import Decontaminate, NearDuplicates, SemanticDuplicates
from sevenfold.prepare.places import PLACES, Place
from sevenfold.prepare.sources import Source
from sevenfold.prepare.splits import SPLITTERS, Splitter
from sevenfold.prepare.splits._shares import Shares
from sevenfold.prepare.training import CHANGES, Change
from sevenfold.schema import Chosen, Section, Strict

Share = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Split(Strict):
    """What is held out, and how it is chosen."""

    validation: Share = Field(0.1, description="A fraction of the rows below 1, or a number of rows; 0: none.")
    test: Share = Field(0.1, description="A fraction of the rows below 1, or a number of rows; 0: none.")
    how: Annotated[Splitter, Chosen(SPLITTERS)] = Field(
        default_factory=lambda: SPLITTERS.find("random")(),
        description="random, {stratified: COLUMN} (same shares of each value), {grouped: COLUMN} (values kept whole), "
        "{folds: 5} and {leave_out: COLUMN} (each row is the test once, run by run).",
    )
    seed: int = Field(17, description="Another seed, other rows are held out (and kept by limit).")

    @field_validator("validation", "test")
    @classmethod
    def fraction_or_count(cls, share: float) -> float:
        """Refuse what is neither a fraction nor a number of rows."""
        if share >= 1 and share != int(share):
            raise ValueError("a fraction is below 1, a number of rows is whole")
        return share

    @model_validator(mode="after")
    def leaves_rows(self) -> Split:
        """Refuse fractions that leave nothing to train on."""
        if sum(share for share in (self.validation, self.test) if share < 1) >= 1:
            raise ValueError(f"validation {self.validation} and test {self.test} leave no rows to train on")
        return self

    @property
    def shares(self) -> Shares:
        """The two shares."""
        return Shares(self.validation, self.test)

    @property
    def wanted(self) -> dict[str, float]:
        """The share of each side, as the splitter understands them."""
        return self.how.wanted(self.shares)


class PrepareSection(Section):
    """Rows to a checked dataset."""

    elsewhere = frozenset({"workers"})

    source: Annotated[tuple[Source, ...], SourceChoice()] = Field(
        description="Where the rows come from: a path, {kind: path}, or a list of these."
    )
    format: Annotated[Format, Chosen(FORMATS)] = Field(
        default_factory=lambda: FORMATS.find("auto")(),
        description="How columns become a conversation; auto finds it by the columns.",
    )
    unreadable: float = Field(
        0.1,
        ge=0,
        le=1,
        description="The share of a source's rows that may be unreadable: they are counted and left out; more stop the "
        "stage (from 20 rows on); 0: the first one does.",
    )
    withdraw: list[Annotated[str, Field(min_length=1)]] = Field(
        default_factory=list,
        description="Origins whose rows are taken out, with all that was made of them: rows.jsonl:7, a file, a folder, "
        "a glob.",
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description="Your names of columns to the format's: {frage: prompt, antwort: completion}."
    )
    label: Label | None = Field(
        None, description="Labels for rows that have none: by people, functions, a classifier; not given: none."
    )
    keep: list[str] | None = Field(
        None, description="Other columns that are kept with each row as text; not given: all with plain values."
    )
    clean: list[Annotated[Step, Chosen(STEPS)]] = Field(
        default_factory=default_steps, description="Cleaning steps, in order."
    )
    near_duplicates: NearDuplicates | None = Field(
        None,
        description="Rows that say nearly the same: true, or {threshold: 0.8, drop: false}; not given: not sought.",
    )
    semantic_duplicates: SemanticDuplicates | None = Field(
        None,
        description="Rows that say the same in other words or another language: true, or {threshold: 0.6}; not given: "
        "not sought. Every row is compared with every other.",
    )
    limit: int | None = Field(
        None, ge=1, description="Rows at most, chosen by content, not the first ones; not given: all."
    )
    split: Split = Field(default_factory=Split, description="What is held out from training.")
    decontaminate: Decontaminate | None = Field(
        None,
        description="Training rows that share text with what is held out are removed: true, or "
        "{against: [eval.jsonl]}; not given: not sought.",
    )
    training: list[Annotated[Change, Chosen(CHANGES)]] = Field(
        default_factory=list,
        description="Changes of the training rows alone, in order: fewer, more, or other rows.",
    )
    audits: list[Annotated[Audit, Chosen(AUDITS)]] = Field(
        default_factory=default_audits, description="What is looked at in the prepared rows; nothing is changed."
    )
    workers: Annotated[Place, Chosen(PLACES)] = Field(
        default_factory=lambda: PLACES.find("processes")(),
        description="Where rows are worked on: here, {processes: NUMBER}, {ray: NUMBER}; the result is the same.",
    )

    def outside(self) -> dict[str, str]:
        """SHA-256 of everything that the sources, steps, evaluation sets, changes and audits read.

        Raises:
            DataError: A file is not there.
        """
        prints: dict[str, Any] = {}
        for number, source in enumerate(self.source, start=1):
            prints.update({f"{number}:{name}": value for name, value in source.fingerprints().items()})
        steps: dict[str, Sequence[Step | Change | Audit]]
        steps = {"clean": self.clean, "training": self.training, "audits": self.audits}
        for kind, parts in steps.items():
            for number, part in enumerate(parts, start=1):
                prints.update({f"{kind} {number}:{name}": value for name, value in part.fingerprints().items()})
        prints.update({f"label:{file}": fingerprint(Path(file)) for file in self.label.files()} if self.label else {})
        against = files_of(self.decontaminate.against) if self.decontaminate else []
        prints.update({f"against:{file}": fingerprint(file) for file in against})
        return prints
