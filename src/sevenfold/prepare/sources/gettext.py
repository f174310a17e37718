"""Translated messages of software: what programs say, in two languages, from gettext catalogues."""

from __future__ import annotations

import importlib.util
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.errors import DataError, MachineError
from sevenfold.prepare.files import File, find_files
from sevenfold.prepare.sources import FileSource, RawRow, Reading

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

FOLDER = "LC_MESSAGES"


class Gettext(FileSource):
    """Messages of `.mo` and `.po` catalogues that have a translation; every well-translated program brings thousands.

    Columns: `source`, `translation`, `domain` (the catalogue's place in its package: `contrib.admin`), `context` (what
    the programmer says of the message, or nothing). Of a message with plural forms the first form is read. Messages
    that are marked as uncertain, or translated by themselves, are no rows.
    """

    suffixes = (".mo", ".po")
    main = "path"
    path: str = Field(description="A catalogue, a folder, a glob, or the name of an installed Python package.")
    language: str | None = Field(
        None, description="Only catalogues in folders of this name (fa/LC_MESSAGES); not given: all that are there."
    )

    @property
    def root(self) -> Path | None:
        """The folder of the installed package, without importing it; None where the path is no package's name."""
        if not self.path.isidentifier() or Path(self.path).expanduser().exists():
            return None
        found = importlib.util.find_spec(self.path)
        places = found.submodule_search_locations if found else None
        return Path(places[0]) if places else None

    def files(self) -> list[File]:
        """The catalogues, sorted; where a catalogue lies beside its compiled form, the compiled one alone.

        Raises:
            DataError: There is none, or none of the language.
        """
        found = find_files(str(self.root or self.path), self.suffixes)
        if self.language:
            chosen = [file for file in found if f"/{self.language}/{FOLDER}/" in str(file)]
            if not chosen:
                folders = {str(file).split(f"/{FOLDER}/")[0].rsplit("/", 1)[-1] for file in found}
                raise DataError(
                    f"{self.path} has no catalogue of the language {self.language!r}",
                    value=self.language,
                    where=self.path,
                    alternatives=sorted(folders),
                )
            found = chosen
        names = {str(file) for file in found}
        return [file for file in found if file.suffix != ".po" or f"{str(file).removesuffix('.po')}.mo" not in names]

    def read(self, file: File, reading: Reading) -> Iterator[RawRow]:
        """The translated messages of one catalogue.

        Raises:
            DataError: The file is no catalogue.
        """
        path, place = str(file), self.place(file)
        domain = place.split("/locale/")[0] if "/locale/" in place else ""
        domain = domain.partition("/")[2].replace("/", ".") if self.root else domain
        for number, message in enumerate(catalogue(file), start=1):
            source, translation = first_form(message.id), first_form(message.string)
            if source and translation and source != translation and not message.fuzzy:
                values = {
                    "source": source,
                    "translation": translation,
                    "domain": domain or Path(path).stem,
                    "context": message.context or "",
                }
                yield RawRow(values, f"{place}:{number}")
        reading.advance(file.stat().st_size)

    def place(self, file: File) -> str:
        """A catalogue's path, from the name of the package on where it is one's."""
        root = self.root
        return Path(str(file)).relative_to(root.parent).as_posix() if root else str(file)


def catalogue(file: File) -> Catalog:
    """The messages of a file.

    Raises:
        DataError: It is no catalogue.
        MachineError: Babel is not installed.
    """
    try:
        from babel.messages.mofile import read_mo
        from babel.messages.pofile import PoFileError, read_po
    except ImportError:
        raise MachineError("catalogues need the package Babel", next_step="pip install 'sevenfold[prepare]'") from None
    try:
        with file.open("rb") as opened:
            if file.suffix == ".mo":
                return read_mo(opened)
            return read_po(opened, abort_invalid=True)
    except (OSError, ValueError, LookupError, struct.error, PoFileError) as error:
        raise DataError(
            f"the catalogue cannot be read: {type(error).__name__}: {error}",
            where=str(file),
            expected="a gettext catalogue (.mo or .po)",
        ) from None


def first_form(text: str | Sequence[str] | None) -> str:
    """A message's text; of several plural forms the first."""
    return text if isinstance(text, str) else (text[0] if text else "")
