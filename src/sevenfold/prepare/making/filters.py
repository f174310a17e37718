"""What a row that a model wrote has to pass before a judge looks at it."""

from __future__ import annotations

from pydantic import Field, model_validator

from sevenfold.prepare.clean.language import UNKNOWN, Language
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.keys import content_key
from sevenfold.prepare.making.held_out import HeldOut
from sevenfold.prepare.making.nearest import Nearest
from sevenfold.prepare.pii import default_detectors, search
from sevenfold.prepare.shelf import Shelf
from sevenfold.prepare.work import Work
from sevenfold.schema import Strict


class Filters(Strict):
    """The borders."""

    characters: tuple[int, int] = Field((2, 8000), description="Least and most characters of question and reply.")
    languages: tuple[str, ...] = Field((), description="ISO 639-1 codes that a row may be in; none given: any.")
    alike: float = Field(
        0.7, ge=0.5, le=1, description="Jaccard similarity to a row that is there from which a new one is too near."
    )
    personal: bool = Field(False, description="Whether rows with personal data may enter.")
    held_out: bool = Field(False, description="Whether rows may enter that have 13 words in a row of a held-out one.")

    @model_validator(mode="after")
    def borders(self) -> Filters:
        """Refuse borders that nothing can lie between."""
        if self.characters[0] > self.characters[1]:
            raise ValueError(f"characters: {self.characters[0]} is above {self.characters[1]}")
        return self


class Sieve:
    """The filters over the rows that are there.

    Args:
        settings: The borders.
        shelf: The training rows.
        work: Where the stage's folder is.
    """

    def __init__(self, settings: Filters, shelf: Shelf, work: Work) -> None:
        self.settings, self.detectors = settings, default_detectors()
        self.nearest = Nearest(shelf, settings.alike)
        self.held_out = HeldOut(work.folder, shelf)
        self.made: set[int] = set()
        self.language = Language(keep=settings.languages)
        if settings.languages:
            self.language.start()

    def reason(self, row: Row, parents: list[Row]) -> tuple[str, str]:
        """Why a row may not enter, with what was found; empty: it may."""
        text = "\n".join(turn.content for turn in row.conversation.messages if turn.role != "system")
        least, most = self.settings.characters
        if not all(turn.content.strip() for turn in row.conversation.messages):
            return "empty", ""
        if not least <= len(text) <= most:
            return "length", f"{len(text)} characters"
        if self.settings.languages and (code := self.language.of(text)) not in (*self.settings.languages, UNKNOWN):
            return "language", code
        if not self.settings.personal and (found := search(text, self.detectors)):
            return "personal_data", found[0].kind
        if content_key(row.conversation) in self.made:
            return "near_duplicate", "of a made row, 1.00"
        met = self.nearest.met(row)
        if met:
            return "near_duplicate", f"of {met.origin}, {met.similarity:.2f}"
        if not self.settings.held_out and self.held_out.leaks(row.conversation, parents):
            return "leak", ""
        return "", ""

    def add(self, row: Row) -> None:
        """Know a row that entered."""
        self.made.add(content_key(row.conversation))
        self.nearest.add(row)
