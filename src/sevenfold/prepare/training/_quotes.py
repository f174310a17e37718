"""Answers that quote what they rest on, as RAFT writes them (Zhang et al. 2024, arXiv 2403.10131, figure 3)."""

from __future__ import annotations

import re

from sevenfold.folding import folded
from sevenfold.prepare.clean.sentences import sentences

QUOTE = re.compile(r"##begin_quote##(.*?)##end_quote##", re.DOTALL)
ANSWER, REASON = "##Answer:", "##Reason:"


def answered(reply: str, document: str, reason: str, quote: bool) -> str:
    """A reply behind its reason.

    Args:
        reply: The answer alone.
        document: What it rests on.
        reason: The reasoning, where the row has one.
        quote: Whether the sentence of the document in which the answer stands is quoted where there is no reason.
    """
    if reason.strip():
        return f"{REASON} {reason.strip()}\n{ANSWER} {reply}"
    found = sentence_with(reply, document) if quote else ""
    return f"{REASON} ##begin_quote##{found}##end_quote##\n{ANSWER} {reply}" if found else reply


def sentence_with(text: str, document: str) -> str:
    """The first sentence of a document in which a text stands; empty where there is none."""
    wanted = folded(text)
    return next((sentence for sentence in sentences(document) if wanted and wanted in folded(sentence)), "")


def unfounded(reason: str, document: str) -> bool:
    """Whether a reason quotes what does not stand in the document."""
    whole = folded(document)
    return any(folded(quote) not in whole for quote in QUOTE.findall(reason))
