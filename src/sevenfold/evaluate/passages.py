"""The general text of the forgetting check: the passages that come along, or the user's own."""

from __future__ import annotations

from pathlib import Path

from sevenfold.errors import DataError
from sevenfold.record import file_digest

OWN = Path(__file__).with_name("general.txt")


def location(chosen: str) -> Path | None:
    """The file that ``evaluate.general_text`` means, or None when there is to be no check."""
    return {"own": OWN, "none": None}.get(chosen, Path(chosen))


def fingerprint(chosen: str) -> dict[str, str]:
    """The digest of the general text, part of the stage's identity.

    Raises:
        DataError: The file is not there.
    """
    path = location(chosen)
    if path is None:
        return {}
    if not path.is_file():
        raise DataError(
            f"there is no file {chosen!r} of general text",
            where="evaluate.general_text",
            expected="own, none, or the path of a text file",
            value=chosen,
            alternatives=("own", "none"),
            next_step="check the path, or write own",
        )
    return {"general_text": file_digest(path)}


def passages(chosen: str) -> list[str]:
    """The passages of the chosen text: what stands between blank lines.

    Raises:
        DataError: The file cannot be read as UTF-8 or holds no passage.
    """
    path = location(chosen)
    if path is None:
        return []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the general text cannot be read: {error}", where=str(path), expected="UTF-8 text") from error
    found = [part.strip() for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
    if not found:
        raise DataError("the general text is empty", where=str(path), next_step="write own, or none to leave it out")
    return found
