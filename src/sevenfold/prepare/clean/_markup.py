"""HTML to text: a small writer behind Python's own tolerant parser, which leaves alone what is no HTML element."""

from __future__ import annotations

import re
from html.parser import HTMLParser


def names(text: str) -> frozenset[str]:
    """The names of a list that is written as text."""
    return frozenset(text.split())


BLOCKS = names(
    "address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hgroup html legend li main menu nav ol p pre section summary table tbody tfoot thead tr "
    "ul caption title"
)
INLINE = names(
    "a abbr acronym b bdi bdo big br button cite code data del dfn em font hr i img input ins kbd label mark meter "
    "nobr optgroup option output picture q rp rt ruby samp select small source span strike strong sub sup td "
    "textarea th time track tt u var video wbr link meta base col colgroup area map param noscript"
)
LEFT_OUT = names("script style template head svg math iframe object embed audio video canvas noembed")
"""Elements whose content is no text for a reader."""
PARAGRAPHS = names("p h1 h2 h3 h4 h5 h6 pre table ul ol blockquote dl figure")
NAMES = BLOCKS | INLINE | LEFT_OUT
VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s"'<>=]+)"""
SWITCHES = "disabled|checked|selected|hidden|open|controls|defer|async|required"
ATTRIBUTE = rf"\s+(?:[a-z_:@][\w:.@-]*\s*=\s*{VALUE}|{SWITCHES})"
NAME = "|".join(sorted(NAMES, key=len, reverse=True))
TAG = re.compile(rf"</(?:{NAME})\s*>|<(?:{NAME})(?:{ATTRIBUTE})*\s*/?>|<!--|<!doctype\b|<!\[CDATA\[", re.IGNORECASE)
"""A tag of HTML, strictly: ``a <b and c> d``, ``vector<int>``, ``<think>`` and ``</s>`` (a token) are none."""
NO_TAG = re.compile(rf"(?!{TAG.pattern})<", re.IGNORECASE)
UNCLOSED = names(
    "br hr img input wbr meta link col source track area base param "  # They have no end.
    "p li dt dd tr td th thead tbody tfoot colgroup option optgroup rp rt html head body"  # Their end may be left out.
)
OPENING = re.compile(rf"<({NAME})>", re.IGNORECASE)
SPACE = re.compile(r"[ \t\n\r\f]+")
ITEM = re.compile(r" *(?:-|\d+\.) ")


class Writer(HTMLParser):
    """Collects the text of the markup that is fed to it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.hidden: list[str] = []
        self.preformatted = 0
        self.lists: list[int | None] = []

    def put(self, text: str) -> None:
        """Write, unless inside of an element that is left out."""
        if not self.hidden:
            self.parts.append(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Line breaks before blocks, marks for lists and code."""
        if tag in LEFT_OUT:
            self.hidden.append(tag)
        else:
            self.open(tag, dict(attrs))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """``<br/>``; an element that is left out and has no content hides nothing."""
        if tag not in LEFT_OUT:
            self.handle_starttag(tag, attrs)

    def open(self, tag: str, attributes: dict[str, str | None]) -> None:
        """Write what stands for the beginning of an element."""
        if tag in {"br", "hr"}:
            self.put("\n")
        elif tag == "pre":
            self.put("\n\n```" + language(attributes))
            self.put("\n")
            self.preformatted += 1
        elif tag == "code" and not self.preformatted:
            self.put("`")
        elif tag == "code" and self.parts[-2:] == ["\n\n```", "\n"]:
            self.parts[-2] += language(attributes)
        elif tag in {"ul", "ol"}:
            self.put("" if self.lists else "\n\n")
            self.lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self.put("\n" + "  " * (len(self.lists) - 1) + self.mark())
        elif tag in {"td", "th"}:
            self.put("\t")
        elif tag == "img":
            self.put(attributes.get("alt") or "")
        elif tag in BLOCKS:
            self.put("\n\n" if tag in PARAGRAPHS else "\n")

    def mark(self) -> str:
        """The mark of a list's next item."""
        if not self.lists or self.lists[-1] is None:
            return "- "
        self.lists[-1] += 1
        return f"{self.lists[-1]}. "

    def handle_endtag(self, tag: str) -> None:
        """Line breaks behind blocks."""
        if self.hidden:
            if tag in self.hidden:
                del self.hidden[self.hidden.index(tag) :]
        elif tag == "pre" and self.preformatted:
            self.preformatted -= 1
            self.put("\n```\n\n")
        elif tag == "code" and not self.preformatted:
            self.put("`")
        elif tag in BLOCKS - {"li", "tr"}:
            if tag in {"ul", "ol"} and self.lists:
                self.lists.pop()
            self.put("\n\n" if tag in PARAGRAPHS and not self.lists else "\n")

    def handle_data(self, data: str) -> None:
        """Text: white space is one space, but in preformatted text."""
        self.put(data if self.preformatted else SPACE.sub(" ", data))

    def unknown_decl(self, data: str) -> None:
        """The text of ``<![CDATA[...]]>``."""
        self.handle_data(data.removeprefix("CDATA["))


def language(attributes: dict[str, str | None]) -> str:
    """The programming language that a block of code names in its class, as highlighters write it."""
    found = re.search(r"(?:^|\s)(?:lang|language|highlight-source)-([\w+#-]+)", attributes.get("class") or "")
    return found[1] if found else ""


def is_markup(text: str) -> bool:
    """Whether a text has tags that are meant as such: a plain one that needs an end and has none is spoken of."""
    lower = text.lower()
    for tag in TAG.finditer(text):
        plain = OPENING.fullmatch(tag[0])
        if not plain or plain[1].lower() in UNCLOSED or f"</{plain[1].lower()}" in lower:
            return True
    return False


def to_text(markup: str) -> str:
    """The text of markup: blocks as lines, lists with marks, code fenced, entities as characters."""
    writer = Writer()
    writer.feed(NO_TAG.sub("&lt;", markup))
    writer.close()
    return tidy("".join(writer.parts))


def tidy(text: str) -> str:
    """No spaces at the edges of lines and at most one blank line, but in code; the indentation of lists stays."""
    lines: list[str] = []
    code = False
    for line in text.split("\n"):
        fence = line.startswith("```")
        if not (code or fence):
            line = line.rstrip() if ITEM.match(line) else line.strip()
        # A blank line stands neither behind another one nor at the beginning or the end of code.
        if fence and code and not lines[-1]:
            lines.pop()
        if line or (lines and (not lines[-1].startswith("```") if code else lines[-1])):
            lines.append(line)
        code ^= fence
    return "\n".join(lines).strip()
