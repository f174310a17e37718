"""A web page to its text: what ``html`` and ``web`` share."""

from __future__ import annotations

import logging
from typing import Any

from sevenfold.errors import MachineError


def page(content: bytes, address: str | None = None) -> dict[str, Any] | None:
    """A page's main text without menus and notices, and where it is from.

    Args:
        content: The page's bytes; their encoding is found.
        address: Where the page was fetched from; not given: the address that the page says of itself.

    Returns:
        ``text``, ``title``, ``url`` and ``date`` (empty where the page has none); None where no text is found.

    Raises:
        MachineError: trafilatura is not installed.
    """
    try:
        import trafilatura
    except ImportError:
        raise MachineError(
            "pages are read with the library trafilatura", next_step="pip install 'sevenfold[prepare]'"
        ) from None
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # What it cannot read is counted and said by us.
    try:
        found: Any = trafilatura.bare_extraction(content, url=address, with_metadata=True)
    except Exception as error:  # noqa: BLE001 - a parser over any bytes; the page is counted as one without text.
        logging.getLogger(__name__).debug("%s: %s", address, error)
        return None
    text = (found.text or "").strip() if found else ""
    if not text:
        return None
    return {"text": text, "title": found.title or "", "url": address or found.url or "", "date": found.date or ""}


def summed(what: str, missing: list[str], total: int) -> str:
    """A sentence that counts what gave no text and names the first ten."""
    more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
    return f"{len(missing):,} of {total:,} {what} gave no text: {'; '.join(missing[:10])}{more}"
