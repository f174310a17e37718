"""A user's name and password inside of a URL."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sevenfold.prepare.pii import Detector, Span

URL = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://([^\s/:@\"'<>]{0,128}:[^\s/@\"'<>]{1,256})@(?=[\w\[])")


class Credentials(Detector):
    """`user:password` in a URL (`https://user:password@host`, `postgresql://...`); the rest of the URL stays."""

    def find(self, text: str) -> Iterable[Span]:
        """Look where there is a URL with an @."""
        if "://" in text and "@" in text:
            for match in URL.finditer(text):
                yield Span(*match.span(1))
