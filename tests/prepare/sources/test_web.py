from __future__ import annotations

import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sevenfold.errors import MachineError, RecipeError
from sevenfold.prepare.sources import _fetch
from sevenfold.prepare.sources.html import Html
from sevenfold.prepare.sources.web import Web
from tests.prepare.conftest import read_all, section_of
from tests.prepare.sources.spoilt import outcomes

pytest.importorskip("trafilatura")
SENTENCES = "The cat sat on the mat and looked at the rain for a long while. " * 6
PERSIAN = "این یک متن فارسی است که دربارهٔ آب‌وهوای تهران و باران‌های بهاری نوشته شده است. " * 6


def html(title: str, text: str) -> bytes:
    return (
        f"<html><head><title>{title}</title><meta charset='utf-8'></head><body><nav><a href='/'>Home menu</a></nav>"
        f"<article><h1>{title}</h1><p>{text}</p><p>{text}</p></article><footer>Cookie notice</footer></body></html>"
    ).encode()


PAGES = {
    "/cat": (200, "text/html; charset=utf-8", html("A cat", SENTENCES)),
    "/fa": (200, "text/html; charset=utf-8", html("باران", PERSIAN)),
    "/picture": (200, "image/png", b"\x89PNG"),
    "/large": (200, "text/html", b"<p>" + b"x" * 300_000),
    "/blank": (200, "text/html", b"<html><body></body></html>"),
    "/private/page": (200, "text/html", html("Secret", SENTENCES)),
    "/broken": (500, "text/html", b"oh"),
    "/moved": (302, "/cat", b""),
    "/to-private": (302, "/private/page", b""),
    "/to-file": (302, "file:///etc/hostname", b""),
    "/round": (302, "/round", b""),
    "/robots.txt": (200, "text/plain", b"User-agent: *\nDisallow: /private\n"),
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked[self.path] += 1
        if self.path == "/slow":
            self.server.over.wait(5)
            return
        if self.path == "/drip":
            self.drip()
            return
        status, kind, body = self.server.pages.get(self.path, (404, "text/html", b"no"))
        self.send_response(status)
        self.send_header("Location" if status == 302 else "Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drip(self):
        """A page that never ends, a little at a time."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        try:
            while not self.server.over.wait(0.02):
                self.wfile.write(b"<p>")
                self.wfile.flush()
        except OSError:
            return

    def log_message(self, *args):
        pass


@pytest.fixture
def site():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.pages, server.over = Counter(), dict(PAGES), threading.Event()
        server.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


def web(site, *paths, **fields):
    return Web(pages=[site.address + path for path in paths], **{"pause": 0, "seconds": 5, **fields})


def test_pages_become_text_with_title_and_address(site):
    notes: list[str] = []
    first, second, third = read_all(web(site, "/cat", "/fa", "/moved"), notes)
    assert first.values["title"] == "A cat"
    assert first.values["url"] == f"{site.address}/cat"
    assert first.origin == f"{site.address}/cat#page 1"
    assert "The cat sat on the mat" in first.values["text"]
    assert "Cookie notice" not in first.values["text"]
    assert "Home menu" not in first.values["text"]
    assert PERSIAN.strip() in second.values["text"]
    assert third.values["text"] == first.values["text"]
    assert notes == []
    assert site.asked["/robots.txt"] == 1


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/picture", "it is image/png, not a page"),
        ("/large", "more than 100,000 bytes"),
        ("/blank", "no text is found"),
        ("/private/page", "robots.txt forbids it"),
        ("/to-private", "robots.txt forbids it"),
        ("/to-file", "a redirect (302) that is not followed"),
        ("/broken", "the server answers 500"),
        ("/nowhere", "the server answers 404"),
        ("/round", "a redirect (302) that is not followed"),
        ("/slow", "no whole answer in 0.2 s"),
        ("/drip", "no whole answer in 0.2 s"),
    ],
)
def test_a_page_that_does_not_come_is_counted_and_named(site, path, reason):
    notes: list[str] = []
    rows = read_all(web(site, "/cat", path, largest=100_000, seconds=0.2), notes)
    assert [row.values["title"] for row in rows] == ["A cat"]
    assert len(notes) == 1
    assert notes[0].startswith(f"1 of 2 pages gave no text: {site.address}{path} (")
    assert reason in notes[0]
    assert not site.asked["/private/page"]


def test_half_spaces_are_kept_however_they_are_written(write):
    text = PERSIAN.replace("\u200c", "&zwnj;", 1).replace("\u200c", "&#8204;", 1).replace("\u200c", "&#x200C;", 1)
    row = read_all(Html(path=write("fa.html", html("باران", text))))[0]
    assert PERSIAN.strip() in row.values["text"]
    assert "&" not in row.values["text"]


def test_a_host_that_is_not_there_is_counted_and_named(site):
    notes: list[str] = []
    assert read_all(Web(pages=["http://127.0.0.1:9/x"], pause=0), notes) == []
    assert "robots.txt: the server cannot be reached" in notes[0]


@pytest.mark.parametrize(("status", "rows"), [(404, 1), (403, 1), (503, 0)])
def test_without_rules_all_is_allowed_and_in_trouble_nothing(site, status, rows):
    site.pages["/robots.txt"] = (status, "text/plain", b"")
    assert len(read_all(web(site, "/cat"))) == rows


def test_the_pause_is_the_longer_of_ours_and_the_host_s(site, monkeypatch):
    slept: list[float] = []
    monkeypatch.setattr(_fetch.time, "sleep", slept.append)
    site.pages["/robots.txt"] = (200, "text/plain", b"User-agent: *\nCrawl-delay: 7\n")
    read_all(web(site, "/cat", "/fa", pause=3))
    assert len(slept) == 1
    assert 6 < slept[0] <= 7


def test_the_fingerprint_follows_the_page_and_a_later_change_is_said(site):
    source = web(site, "/cat", "/broken")
    before = source.fingerprints()
    assert before[f"{site.address}/broken"] == "the server answers 500"
    assert web(site, "/cat", "/broken").fingerprints() == before
    site.pages["/cat"] = (200, "text/html", html("A dog", SENTENCES))
    notes: list[str] = []
    assert read_all(source, notes)[0].values["title"] == "A dog"
    assert "the page changed" in notes[0]
    assert web(site, "/cat", "/broken").fingerprints() != before


@pytest.mark.parametrize("address", ["ftp://x/y", "page.html", "http://me:s3cret@host/"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(RecipeError, match="page 1") as caught:
        section_of(source={"web": [address]})
    assert "next" in caught.value.as_json()


def test_files_are_pages_too(write, tmp_path):
    write("site/cat.html", html("A cat", SENTENCES))
    write("site/fa.htm", html("باران", PERSIAN))
    write("site/blank.html", b"<html></html>")
    write("site/empty.html", b"")
    notes: list[str] = []
    source = section_of(source=str(tmp_path / "site")).source[0]
    rows = read_all(source, notes)
    assert [row.values["title"] for row in rows] == ["A cat", "باران"]
    assert rows[0].origin == f"{tmp_path}/site/cat.html:1"
    assert notes[0].startswith("2 of 4 pages gave no text: ")
    assert f"{tmp_path}/site/blank.html" in notes[0]
    assert f"{tmp_path}/site/empty.html" in notes[0]


def test_a_file_that_is_too_large_is_counted(write):
    notes: list[str] = []
    assert read_all(Html(path=write("cat.html", html("A cat", SENTENCES)), largest=100), notes) == []
    assert "more than 100 bytes" in notes[0]


def test_spoilt_pages_are_read_or_counted(write):
    path = write("cat.html", html("A cat", SENTENCES))
    found = outcomes(path, lambda: Html(path=path), 40)
    assert found["refused"] == 0
    assert found["read"] + found["warned"] == 40


def test_a_missing_library_is_named(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    with pytest.raises(MachineError, match="trafilatura") as caught:
        read_all(Html(path=write("a.html", b"<p>x</p>")))
    assert caught.value.next_step == "pip install 'sevenfold[prepare]'"
