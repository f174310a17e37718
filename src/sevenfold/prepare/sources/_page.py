"""A web page to its text: what ``html`` and ``web`` share."""

from __future__ import annotations

import html
import logging
import re
from typing import Any

from sevenfold.errors import MachineError

JOINERS = {"\N{ZERO WIDTH NON-JOINER}": "\N{LINEAR A SIGN AB001}", "\N{ZERO WIDTH JOINER}": "\N{LINEAR A SIGN AB002}"}
"""trafilatura takes out what is not printable, and with it the half-space that Persian words need ("می‌رود" is not
"میرود"): letters that no page has stand in for the joiners while it works."""
NO_PAGE = "no_page"
"""Under which word pages that do not come, or have no text, are counted among the dropped rows."""
ENTITIES = re.compile(r"&(?:zwnj|zwj|#0*820[45]|#x0*200[cd]);", re.IGNORECASE)


def guarded(text: str) -> str:
    """A page with its joiners as letters; unchanged where it has those letters itself."""
    if any(letter in text for letter in JOINERS.values()):
        return text
    text = ENTITIES.sub(lambda found: html.unescape(found[0].lower()), text)
    return text.translate({ord(joiner): letter for joiner, letter in JOINERS.items()})


def restored(text: str) -> str:
    """A text with its joiners again."""
    return text.translate({ord(letter): joiner for joiner, letter in JOINERS.items()})


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
        import trafilatura.utils
    except ImportError:
        raise MachineError(
            "pages are read with the library trafilatura", next_step="pip install 'sevenfold[prepare]'"
        ) from None
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # What it cannot read is counted and said by us.
    try:
        given = trafilatura.utils.decode_file(content)
        safe = guarded(given)
        found: Any = trafilatura.bare_extraction(safe, url=address, with_metadata=True)
    except Exception as error:  # noqa: BLE001 - a parser over any bytes; the page is counted as one without text.
        logging.getLogger(__name__).debug("%s: %s", address, error)
        return None
    as_given = restored if safe != given else str
    text = as_given(found.text or "").strip() if found else ""
    if not text:
        return None
    title = as_given(found.title or "")
    return {"text": text, "title": title, "url": address or found.url or "", "date": found.date or ""}


def summed(what: str, missing: list[str], total: int) -> str:
    """A sentence that counts what gave no text and names the first ten."""
    more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
    return f"{len(missing):,} of {total:,} {what} gave no text: {'; '.join(missing[:10])}{more}"
