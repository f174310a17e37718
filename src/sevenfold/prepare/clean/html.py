"""Markup to text: tags and entities of HTML, where there are some."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from sevenfold.prepare.clean import Outcome, Single, rewritten
from sevenfold.prepare.clean._markup import is_markup, to_text
from sevenfold.prepare.dataset import Row

CODE = re.compile(r"(^```.*?(?:^```[ \t]*$|\Z)|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
"""Code in Markdown: markup in it is what the row is about."""
ENTITY = re.compile(r"&(?:[a-z][a-z0-9]{1,30}|#[0-9]{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE)


class Html(Single):
    """Tags, scripts and comments removed, entities as characters; lists keep marks, blocks of code are fenced.

    What is no element of HTML (``a < b``, ``vector<int>``, ``<think>``) stays, and so do code in Markdown and a tag in
    prose that nothing closes (``press <b>``). One level of entities is read: ``&amp;lt;`` is ``&lt;``.
    """

    def start(self) -> Callable[[Row], Outcome]:
        """Read every message."""
        return lambda row: rewritten(row, clean)


def clean(text: str) -> str:
    """The text of what may be markup; the same text when it is none."""
    if "<" not in text and "&" not in text:
        return text
    parts = CODE.split(text)
    if is_markup("\n".join(parts[::2])):
        # Code of Markdown goes through the reader as a mark that no text has, so that tags around it stay pairs.
        kept = iter(parts[1::2])
        plain = to_text("\ue000".join(part.replace("\ue000", "") for part in parts[::2]))
        return re.sub("\ue000", lambda _: next(kept, ""), plain)
    parts[::2] = [ENTITY.sub(lambda found: html.unescape(found[0]), part) for part in parts[::2]]
    return "".join(parts)
