"""Addresses of e-mail."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import Field

from sevenfold.prepare.pii import Detector, Span

ADDRESS = re.compile(
    r"(?<![\w.+%-])[A-Za-z0-9_%+-]{1,64}(?:\.[A-Za-z0-9_%+-]{1,64}){0,8}@(?:\w(?:[\w-]{0,62}\w)?\.){1,8}[^\W\d_]{2,24}(?!\w)"
)
"""The dot-atom form of RFC 5322; the domain may have letters of any script. Every repetition is bounded."""
RESERVED = re.compile(r"@(?:.*\.)?(?:example(?:\.(?:com|net|org))?|test|invalid|localhost)$", re.IGNORECASE)
"""Domains that belong to nobody: RFC 2606."""


class Email(Detector):
    """E-mail addresses; those of reserved domains (example.com) belong to nobody and stay."""

    reserved: bool = Field(False, description="Whether addresses of reserved domains (example.com) count too.")

    def find(self, text: str) -> Iterable[Span]:
        """Look where there is an @ at all."""
        if "@" not in text:
            return
        for match in ADDRESS.finditer(text):
            if self.reserved or not RESERVED.search(match[0]):
                yield Span(*match.span())
