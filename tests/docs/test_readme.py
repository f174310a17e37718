"""The README's tree is the folders that are there, and its links lead somewhere."""

from __future__ import annotations

import re

import pytest

from tests.docs import blocks


def tree() -> set[str]:
    """The names in the README's tree."""
    text = next(b.text for b in blocks.read(blocks.named("README.md")) if b.text.startswith("src/sevenfold/\n"))
    lines = text.splitlines()[1:]
    assert all(re.fullmatch(r"  \S+ +\S.*", line) for line in lines), "each line: a name and what it is for"
    return {line.split()[0] for line in lines}


def test_the_tree_is_the_folders():
    source = blocks.ROOT / "src" / "sevenfold"
    folders = {f"{path.name}/" for path in source.iterdir() if (path / "__init__.py").exists()}
    assert tree() == folders | {path.name for path in source.glob("*.py")}


def test_the_first_screen_has_the_two_commands_and_the_picture():
    first = "\n".join(blocks.named("README.md").read_text(encoding="utf-8").splitlines()[:15])
    assert "make demo" in first
    assert "make test" in first
    picture = re.search(r"!\[.+\]\((.+\.svg)\)", first)[1]
    assert (blocks.ROOT / picture).is_file()


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_lead_to_files(name):
    """Links inside docs/ are the site's to check."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", blocks.named(name).read_text(encoding="utf-8"))
    assert links
    assert all((blocks.ROOT / link).exists() for link in links)
