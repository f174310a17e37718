"""HTML files: a page's main text is a row."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from sevenfold.errors import DataError
from sevenfold.prepare.files import File, opened
from sevenfold.prepare.sources import FileSource, Found, RawRow, Reading, Unreadable
from sevenfold.prepare.sources._page import NO_PAGE, page, summed


class Html(FileSource):
    """HTML files as text without menus and notices, found by trafilatura (`sevenfold[prepare]`).

    Columns: `text`, `title`, `url`, `date`, empty where the page does not say. Pages without text are counted and
    named.
    """

    suffixes = (".html", ".htm", ".xhtml")
    largest: int = Field(10_000_000, ge=1, description="Bytes of a page; larger files are no pages, and counted.")

    def rows(self, reading: Reading) -> Iterator[Found]:
        """The pages; those without text are named in a warning."""
        missing: list[str] = []
        files = self.files()
        for file in files:
            try:
                yield from self.read(file, reading)
            except DataError as error:
                missing.append(f"{error.where} ({error.problem})")
                yield Unreadable(error, reason=NO_PAGE)
        if missing:
            reading.warn(summed("pages", missing, len(files)))

    def read(self, file: File, reading: Reading) -> Iterator[RawRow]:
        """The one row of a page.

        Raises:
            DataError: The file cannot be read, is too large, or has no text.
        """
        with opened(file, reading.advance) as raw:
            content = raw.read(self.largest + 1)
        if len(content) > self.largest:
            raise DataError(f"more than {self.largest:,} bytes", where=str(file))
        found = page(content)
        if found is None:
            raise DataError("no text is found in it", where=str(file))
        yield RawRow(found, f"{file}:1")
