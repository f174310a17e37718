"""Telephone numbers, by the numbering plans of libphonenumber."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import Field, field_validator

from sevenfold.errors import MachineError
from sevenfold.prepare.pii import Detector, Span

FEWEST_DIGITS = 7
PART_BEFORE, PART_BEHIND = re.compile(r"\d[.,]$"), re.compile(r"[.,]\d")
DECIMAL = re.compile(r"[+]?\d+\.\d+")
"""What makes a number a part of a decimal one."""


class Phone(Detector):
    """Telephone numbers that a numbering plan knows: international ones with +, and national ones of some regions.

    Read by the package phonenumbers (`sevenfold[prepare]`). A local number without its area code is not found.
    """

    regions: tuple[str, ...] = Field(
        ("IR",), description="Regions whose national way of writing counts (0912 345 6789): ISO 3166 codes."
    )

    @field_validator("regions")
    @classmethod
    def known(cls, regions: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse regions that no numbering plan is known of; where the package is missing, the run will say so."""
        try:
            supported = library().SUPPORTED_REGIONS
        except MachineError:
            return regions
        for region in regions:
            if region not in supported:
                raise ValueError(f"there is no region {region!r}; expected two capital letters of ISO 3166, such as IR")
        return regions

    def find(self, text: str) -> Iterable[Span]:
        """Look in texts with enough digits; international numbers are read alike in every region."""
        if sum(map(text.count, "0123456789")) < FEWEST_DIGITS:
            return
        seen: set[Span] = set()
        for region in self.regions or (None,):
            for match in library().PhoneNumberMatcher(text, region, max_tries=len(text)):
                span = trimmed(match.start, match.raw_string)
                if span not in seen and deliberate(match.raw_string) and whole(text, span):
                    seen.add(span)
                    yield span


def whole(text: str, span: Span) -> bool:
    """Whether a number is no part of a decimal one."""
    before = PART_BEFORE.search(text, max(0, span.start - 2), span.start)
    return before is None and PART_BEHIND.match(text, span.end) is None


def trimmed(start: int, written: str) -> Span:
    """Where a number stands without a bracket around all of the sentence."""
    opened = written.startswith("(") and written.count("(") > written.count(")")
    return Span(start + opened, start + len(written))


def deliberate(written: str) -> bool:
    """Whether a number looks like a telephone's: marked by + or 0 in front, or by how it is parted."""
    if DECIMAL.fullmatch(written):
        return False
    return written.lstrip("(").startswith(("+", "＋", "0")) or not written.isdigit()


def library() -> Any:
    """The package phonenumbers.

    Raises:
        MachineError: It is not installed.
    """
    try:
        import phonenumbers
    except ImportError:
        raise MachineError("phonenumbers is not installed", next_step="pip install 'sevenfold[prepare]'") from None
    return phonenumbers
