"""US social security numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sevenfold.prepare.pii import ALONE_AFTER, ALONE_BEFORE, Detector, Span, named

PARTED = re.compile(rf"{ALONE_BEFORE}(?!000|666|9)\d{{3}}-(?!00)\d{{2}}-(?!0000)\d{{4}}{ALONE_AFTER}")
"""Areas 000, 666 and 900 to 999, group 00 and serial 0000 are given to nobody (Social Security Administration)."""
BARE = re.compile(rf"{ALONE_BEFORE}(?!000|666|9)\d{{3}} ?(?!00)\d{{2}} ?(?!0000)\d{{4}}{ALONE_AFTER}")
NAME = re.compile(r"\bssn\b|social security", re.IGNORECASE)


class Ssn(Detector):
    """US social security numbers, parted by hyphens; after `SSN` or `social security` also otherwise written.

    They have no check digit: a number of another kind that is parted alike is taken for one.
    """

    def find(self, text: str) -> Iterable[Span]:
        """Look at numbers of nine digits."""
        for match in PARTED.finditer(text):
            yield Span(*match.span())
        for match in BARE.finditer(text):
            if named(NAME, text, match.start()):
                yield Span(*match.span())
