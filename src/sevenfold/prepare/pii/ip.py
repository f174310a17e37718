"""Addresses of machines on the internet."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from pydantic import Field

from sevenfold.prepare.pii import Detector, Span

VERSION_4 = re.compile(r"(?<![\w.:-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-])(?!\.\w)")
VERSION_6 = re.compile(r"(?<![\w.:])[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]{2,34}(?![\w])")
"""Global unicast addresses begin with 2000::/3 (RFC 4291)."""
VERSION_WORD = re.compile(r"(?:version|release|section)\s*$|نسخه[‌ٔی]*\s*$", re.IGNORECASE)


class Ip(Detector):
    """Public IPv4 and IPv6 addresses; those of private networks and of examples lead to nobody and stay."""

    private: bool = Field(False, description="Whether IPv4 addresses of private networks and of examples count too.")

    def find(self, text: str) -> Iterable[Span]:
        """Look at four numbers between dots, which no word calls a version, and at groups between colons."""
        if text.count(".") >= 3:
            for match in VERSION_4.finditer(text):
                if self.counts(match[0]) and not VERSION_WORD.search(text[max(0, match.start() - 12) : match.start()]):
                    yield Span(*match.span())
        if text.count(":") >= 3:
            for match in VERSION_6.finditer(text):
                written = match[0].removesuffix(":") if not match[0].endswith("::") else match[0]
                if self.counts(written):
                    yield Span(match.start(), match.start() + len(written))

    def counts(self, written: str) -> bool:
        """Whether this is an address, and one that counts."""
        try:
            address = ipaddress.ip_address(written)
        except ValueError:
            return False
        return (address.is_global and not address.is_multicast) or (self.private and address.version == 4)
