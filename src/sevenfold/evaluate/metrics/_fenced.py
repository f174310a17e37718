"""Code or data that a model put between fences of Markdown."""

from __future__ import annotations

import re

FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n]*\n(.*?)^[ \t]*\1[ \t]*$", re.M | re.S)


def unfenced(answer: str) -> str:
    """What stands in the answer's first fenced block; all of it where there is none, or its fence has no end."""
    found = FENCE.search(answer + "\n")
    return found[2] if found else answer
