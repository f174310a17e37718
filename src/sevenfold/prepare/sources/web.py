"""Pages of the web: each address's main text is a row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from pydantic import Field, PrivateAttr, field_validator

from sevenfold.errors import DataError
from sevenfold.prepare.sources import Found, RawRow, Reading, Source, Unreadable
from sevenfold.prepare.sources._fetch import Fetcher, Limits, Refused
from sevenfold.prepare.sources._page import NO_PAGE, page, summed


class Web(Source):
    """Pages by their addresses, as text without menus and notices, found by trafilatura (`sevenfold[prepare]`).

    Columns: `text`, `title`, `url`, `date`. What `robots.txt` forbids is not fetched. A page that does not come, or has
    no text, is counted and named with the reason. Pages are fetched when the recipe's identity is made and once more
    when they are read; a page that changed between the two is said.
    """

    main = "pages"
    pages: tuple[str, ...] = Field(min_length=1, description="Addresses that begin with http:// or https://.")
    seconds: float = Field(20.0, gt=0, description="Seconds for a page, from its address to its last byte.")
    largest: int = Field(10_000_000, ge=1, description="Bytes of a page; larger ones are not read.")
    pause: float = Field(1.0, ge=0, description="Seconds between two pages of a host; robots.txt may ask for more.")
    _seen: dict[str, str] = PrivateAttr(default_factory=dict)

    @field_validator("pages")
    @classmethod
    def addresses(cls, pages: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what is no address of the web, and passwords in one."""
        for number, address in enumerate(pages, start=1):
            if not address.startswith(("http://", "https://")):
                raise ValueError(
                    f"page {number} does not begin with http:// or https://; files: source: {{html: PATH}}"
                )
            if "@" in address.split("/")[2]:
                raise ValueError(f"page {number} carries a user or a password")
        return pages

    def size(self) -> int:
        """Nothing is known of pages before they are fetched."""
        return 0

    def fetcher(self) -> Fetcher:
        """What fetches, within the limits."""
        return Fetcher(Limits(self.seconds, self.largest, self.pause))

    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of each page, or why it does not come."""
        fetcher = self.fetcher()
        for address in self.pages:
            try:
                self._seen[address] = hashlib.sha256(fetcher.fetch(address)).hexdigest()
            except Refused as refused:
                self._seen[address] = str(refused)
        return dict(self._seen)

    def rows(self, reading: Reading) -> Iterator[Found]:
        """The pages in order; those without text are named in a warning."""
        fetcher = self.fetcher()
        missing: list[str] = []
        for number, address in enumerate(self.pages, start=1):
            try:
                content = fetcher.fetch(address)
                if self._seen.get(address, "") not in ("", hashlib.sha256(content).hexdigest()):
                    reading.warn(f"{address}: the page changed since its fingerprint was taken; the later one is read")
                found = page(content, address)
                if found is None:
                    raise Refused("no text is found in it")
            except Refused as refused:
                missing.append(f"{address} ({refused})")
                yield Unreadable(DataError(str(refused), where=f"{address}#page {number}"), reason=NO_PAGE)
                continue
            yield RawRow(found, f"{address}#page {number}")
        if missing:
            reading.warn(summed("pages", missing, len(self.pages)))
