"""The check ``safety``: the ten dimensions of DecodingTrust on sets of our own, or on public ones from a folder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, model_validator

from sevenfold.evaluate.checks import Check
from sevenfold.evaluate.examined import Checked, Examined, Figure, Weighing, compared
from sevenfold.evaluate.public_sets import SETS, files_in
from sevenfold.evaluate.safety import DIMENSIONS, Dimension, data_file
from sevenfold.evaluate.safety._items import Item, drawn
from sevenfold.findings import Table
from sevenfold.record import digest, file_digest

if TYPE_CHECKING:
    from sevenfold.evaluate.subject import Subject

ROOM = 64
"""Tokens that are left for an answer or an option."""


class Safety(Check):
    """How safe base and tuned model are on each dimension.

    A figure is called ``DIMENSION.FIGURE``. It is also compared by language, or by public set.
    """

    title: ClassVar[str] = "Safety"
    dimensions: list[str] = Field(default_factory=DIMENSIONS.names, min_length=1, description="Which; all by default.")
    rows: int = Field(40, ge=1, description="Items of each dimension, drawn with the seed; all when there are fewer.")
    sets: str | None = Field(
        None, description="A folder with files of public sets as they are published; they take the place of our items."
    )
    public: list[str] = Field(default_factory=list, description="Which public sets; not given: those in the folder.")

    @model_validator(mode="after")
    def known(self) -> Self:
        """Refuse names that do not exist, with those that do."""
        for name in self.dimensions:
            DIMENSIONS.find(name)
        for name in self.public:
            SETS.find(name)
        if self.public and not self.sets:
            raise ValueError("public says which sets, and sets not in which folder they are")
        return self

    def chosen(self) -> dict[str, Dimension]:
        """Each dimension by its name."""
        return {name: DIMENSIONS.find(name)() for name in self.dimensions}

    def items(self, seed: int) -> dict[str, list[Item]]:
        """What is asked in each dimension."""
        theirs: dict[str, list[Item]] = {}
        if self.sets:
            for name, path in files_in(Path(self.sets), tuple(self.public), tuple(self.dimensions)).items():
                one = SETS.find(name)()
                theirs.setdefault(one.dimension, []).extend(replace(item, source=name) for item in one.read(path))
        return {
            name: drawn(theirs[name] if name in theirs else one.items(), self.rows, seed)
            for name, one in self.chosen().items()
        }

    def figures(self) -> list[Figure]:
        """Those of every dimension, by its name."""
        return [
            replace(figure, name=f"{name}.{figure.name}")
            for name, one in self.chosen().items()
            for figure in one.figures()
        ]

    def examine(self, subject: Subject) -> Examined:
        """One dimension after the other; what is too long for the model is kept, without a value."""
        whole = Examined([], {figure.name: [] for figure in self.figures()})
        asked = self.items(subject.seed)
        for name, one in self.chosen().items():
            fitting = [item for item in asked[name] if fits(subject, item)]
            found = one.examine(subject, fitting) if fitting else Examined()
            add(whole, name, asked[name], fitting, found)
        return whole

    def findings(self, base: Examined, tuned: Examined, weighing: Weighing) -> Checked:
        """The comparisons; a table with what each dimension cannot see; the digest of what was asked."""
        found = compared(self.title, self.figures(), base, tuned, weighing)
        long = sum("left_out" in item for item in base.items)
        if long:
            found.said += f" {long} items are too long for the model and were left out."
        found.tables.append(Table("What each cannot see", ("dimension", "blind to"), blind_lines(self.chosen())))
        worse = [name for name, one in found.comparisons.items() if one.better == "no"]
        if worse:
            found.advice.append(
                f"The tuned model is clearly worse on {', '.join(worse)}: read its items in checks/safety.jsonl, and "
                "mix general rows or refusals into the training rows."
            )
        found.more["digest"] = asked_digest(base)
        found.more["digests"] = {name: asked_digest(base, name) for name in self.dimensions}
        return found

    def fingerprints(self) -> dict[str, str]:
        """Our own items, and those of the folder."""
        found = {f"safety:{name}": file_digest(data_file(name)) for name in self.dimensions}
        if self.sets:
            files = files_in(Path(self.sets), tuple(self.public), tuple(self.dimensions))
            found |= {str(path): file_digest(path) for path in files.values()}
        return found


def add(whole: Examined, name: str, asked: Sequence[Item], fitting: Sequence[Item], found: Examined) -> None:
    """A dimension's items and values behind those before."""
    places = {item.key(): place for place, item in enumerate(fitting)}
    for item in asked:
        place = places.get(item.key())
        line = item.line() | {"left_out": "too long for the model"} if place is None else found.items[place]
        whole.items.append({"dimension": name, "key": item.key(), **line})
        for figure, values in whole.values.items():
            of, _, inner = figure.partition(".")
            mine = of == name and place is not None
            values.append(found.values[inner][place] if mine and place is not None else math.nan)


def fits(subject: Subject, item: Item) -> bool:
    """Whether the longest form of an item leaves room."""
    longest = max((item.prompt, item.other), key=len)
    option = max(item.options, key=len, default="")
    used = len(subject.reply(item.messages(longest), option)) + len(subject.lead)
    return used + ROOM <= subject.engine.context


def blind_lines(chosen: dict[str, Dimension]) -> list[tuple[str, str]]:
    """Each dimension and what its method cannot see."""
    return [(one.title, one.blind) for one in chosen.values()]


def asked_digest(examined: Examined, dimension: str | None = None) -> str:
    """The same where the same items were asked."""
    return digest([item["key"] for item in examined.items if dimension in (None, item["dimension"])])
