"""The documentation builds without a warning, and a page needs nothing from the network."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.docs import blocks


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=blocks.ROOT, capture_output=True, text=True, env={**os.environ, "CI": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_nothing_is_fetched_from_elsewhere(site):
    fetched = re.compile(r"<(?:script|img|link|iframe)\b[^>]*(?:src|href)=\"?(https?://[^\s\">]+)", re.I)
    for page in site.rglob("*.html"):
        assert not fetched.findall(page.read_text(encoding="utf-8")), page


def test_every_page_is_in_the_menu(site):
    pages = {path.relative_to(blocks.ROOT / "docs") for path in (blocks.ROOT / "docs").rglob("*.md")}
    menu = (blocks.ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert all(f": {page}" in menu for page in pages)
    assert not list(site.rglob("*.py"))


def test_the_picture_is_the_scripts():
    from docs.images import make_stages

    assert (blocks.ROOT / "docs" / "images" / "stages.svg").read_text(encoding="utf-8") == make_stages.draw()
