"""What can be seen of an answer without knowing what is right: its length, script, form, and whether it refuses."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from sevenfold.generate.engine import Answer

REFUSALS = re.compile(
    r"\b(i\s?('|’)?\s?a?m (very |so )?sorry|sorry, (but )?i|i can ?('|’|no)t (help|assist|answer|provide|comply|do)"
    r"|i('|’)?m (unable|not able)|i am (unable|not able)|as an ai|i won('|’)t"
    r"|es tut mir leid|ich kann (das|dabei|dir|ihnen) nicht|je suis désolée?|je ne peux pas"
    r"|lo siento|no puedo (ayudar|responder))"
    r"|متأسفم|متاسفم|نمی\u200c?توانم|نمیتوانم|قادر نیستم|به عنوان یک (مدل|هوش)|آسف|لا (أستطيع|يمكنني)",
    re.IGNORECASE,
)
"""Openings of refusals in English, German, French, Spanish, Persian and Arabic; a word list, no judgement."""
OPENING = 160
"""Characters in which a refusal begins."""
LIST = re.compile(r"^\s*([-*•]|\d+[.)])\s+\S", re.MULTILINE)


def script(text: str) -> str:
    """The script that most letters of a text are of, by Unicode's names: ``latin``, ``arabic``, ``cjk``; or none."""
    names = (unicodedata.name(letter, "").split(" ")[0].lower() for letter in text if letter.isalpha())
    counts = Counter(name for name in names if name)
    return counts.most_common(1)[0][0] if counts else "none"


def refuses(text: str) -> bool:
    """Whether an answer opens as refusals do."""
    return REFUSALS.search(text[:OPENING]) is not None


def is_json(text: str) -> bool:
    """Whether an answer is a JSON object or array, perhaps inside a fence."""
    inner = re.sub(r"^```\w*\n|\n?```$", "", text.strip())
    if not inner.startswith(("{", "[")):
        return False
    try:
        json.loads(inner)
    except ValueError:
        return False
    return True


def has_list(text: str) -> bool:
    """Whether an answer has two lines or more that are items of a list."""
    return len(LIST.findall(text)) >= 2


def has_code(text: str) -> bool:
    """Whether an answer has a fenced block."""
    return "```" in text


def marks(answers: Sequence[Answer], scripts: Sequence[str]) -> dict[str, list[bool]]:
    """What is true of each answer, by the trait's name.

    Args:
        answers: One model's.
        scripts: The scripts to look for.
    """
    texts = [answer.text for answer in answers]
    found = {
        "cut by the limit": [answer.finish_reason == "length" for answer in answers],
        "empty": [not text.strip() for text in texts],
        "refusals": [refuses(text) for text in texts],
        "JSON": [is_json(text) for text in texts],
        "lists": [has_list(text) for text in texts],
        "code blocks": [has_code(text) for text in texts],
    }
    own = [script(text) for text in texts]
    return found | {f"in {name} script": [one == name for one in own] for name in scripts if name != "none"}
