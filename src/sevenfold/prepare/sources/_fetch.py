"""Pages fetched with limits of time and size, where robots.txt allows it (RFC 9309)."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

AGENT = "sevenfold"
"""How robots.txt may name us."""
TYPES = ("text/html", "application/xhtml+xml", "text/plain")
CHUNK = 1 << 16
ROBOTS_BYTES = 500 * 1024
"""What RFC 9309, 2.5, asks a crawler to read of robots.txt."""
MOST_PAUSE = 60.0
"""Seconds; what a robots.txt may make us wait for a page."""


class Refused(Exception):
    """Why a page was not fetched."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a page may cost.

    Args:
        seconds: From its address to its last byte.
        largest: Bytes.
        pause: Seconds between two pages of a host.
    """

    seconds: float
    largest: int
    pause: float


class Guarded(urllib.request.HTTPRedirectHandler):
    """Redirects are followed where robots.txt allows the page that they lead to."""

    def __init__(self, fetcher: Fetcher) -> None:
        self.fetcher = fetcher

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """The request that follows, after the same check; urllib itself follows a page to no file."""
        self.fetcher.check(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Fetcher:
    """Fetches pages one after the other.

    Args:
        limits: What each may cost.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rules: dict[str, RobotFileParser] = {}
        self.last: dict[str, float] = {}
        self.opener = urllib.request.build_opener(Guarded(self))
        self.plain = urllib.request.build_opener()

    def fetch(self, address: str) -> bytes:
        """A page's bytes.

        Raises:
            Refused: It does not come, is too slow or too large, is no page, or may not be fetched.
        """
        self.check(address)
        self.wait(address)
        return self.get(self.opener, address, self.limits.largest, TYPES)

    def get(self, opener: Any, address: str, largest: int, types: tuple[str, ...]) -> bytes:
        """What stands at an address.

        Raises:
            Refused: As for :meth:`fetch`.
        """
        until = time.monotonic() + self.limits.seconds
        try:
            request = urllib.request.Request(address, headers={"User-Agent": AGENT, "Accept": ", ".join(types)})
            with opener.open(request, timeout=self.limits.seconds) as answer:
                kind = answer.headers.get_content_type()
                if kind not in types:
                    raise Refused(f"it is {kind}, not a page")
                return read(answer, largest, until)
        except urllib.error.HTTPError as error:
            error.close()
            redirect = 300 <= error.code < 400
            said = f"a redirect ({error.code}) that is not followed" if redirect else f"the server answers {error.code}"
            raise Refused(said) from None
        except TimeoutError:
            raise Refused(f"no whole answer in {self.limits.seconds:g} s") from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise Refused(f"no whole answer in {self.limits.seconds:g} s") from None
            raise Refused(f"the server cannot be reached: {error.reason}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Refused(f"the answer is broken: {error or type(error).__name__}") from None

    def check(self, address: str) -> None:
        """Ask robots.txt.

        Raises:
            Refused: It forbids the address, or cannot be had from a server that is in trouble.
        """
        if not self.robots(address).can_fetch(AGENT, address):
            raise Refused("robots.txt forbids it")

    def robots(self, address: str) -> RobotFileParser:
        """A host's rules: none where it has no file (4xx), nothing allowed where it cannot say (RFC 9309, 2.3.1).

        Raises:
            Refused: The server does not answer.
        """
        parts = urlsplit(address)
        host = f"{parts.scheme}://{parts.netloc}"
        if host not in self.rules:
            rules = RobotFileParser()
            try:
                types = ("text/plain", "text/html")
                rules.parse(
                    self.get(self.plain, f"{host}/robots.txt", ROBOTS_BYTES, types)
                    .decode("utf-8", "replace")
                    .splitlines()
                )
            except Refused as refused:
                if not str(refused).startswith("the server answers 4"):
                    raise Refused(f"robots.txt: {refused}") from None
                rules.parse([])
            self.rules[host] = rules
        return self.rules[host]

    def wait(self, address: str) -> None:
        """Leave the host its pause since its last page."""
        host = urlsplit(address).netloc
        asked = float(self.robots(address).crawl_delay(AGENT) or 0)
        pause = min(max(self.limits.pause, asked), MOST_PAUSE)
        left = self.last.get(host, -MOST_PAUSE) + pause - time.monotonic()
        if left > 0 and host in self.last:
            time.sleep(left)
        self.last[host] = time.monotonic()


def read(answer: Any, largest: int, until: float) -> bytes:
    """An answer's bytes, as they come.

    Raises:
        Refused: There are too many, or they come too slowly.
    """
    parts, size = [], 0
    while chunk := answer.read1(CHUNK):
        size += len(chunk)
        if size > largest:
            raise Refused(f"it has more than {largest:,} bytes")
        if time.monotonic() > until:
            raise TimeoutError
        parts.append(chunk)
    return b"".join(parts)
