"""Informal forms of everyday writing, as the standard language writes them; only those that can mean nothing else."""

from __future__ import annotations

import re
from itertools import product

from sevenfold.prepare.clean._persian.letters import LETTER, MARK, ZWNJ

STEMS = {
    "خوا": "خواه",
    "تون": "توان",
    "دون": "دان",
    "گ": "گوی",
    "ر": "رو",
    "ش": "شو",
    "د": "ده",
    "کن": "کن",
    "خور": "خور",
}
ENDINGS = {"م": "م", "ی": "ی", "ه": "د", "یم": "یم", "ین": "ید", "ن": "ند"}
VERBS = {said + end: stem + ending for (said, stem), (end, ending) in product(STEMS.items(), ENDINGS.items())}
VERBS |= {"خواد": "خواهد", "یاد": "آید", "یام": "آیم", "یان": "آیند", "یای": "آیی", "یایم": "آییم", "یاین": "آیید"}
# The vowel of these stems takes the ending without its ه.
VERBS.pop("خواه")
VERB = re.compile(
    f"(?<!{LETTER})(?<!{MARK})(?<!{ZWNJ})(ن?می){ZWNJ}?({'|'.join(sorted(VERBS, key=len, reverse=True))})"
    f"(?!{LETTER}|{MARK}|{ZWNJ})"
)

WORDS = {
    "اگه": "اگر",
    "دیگه": "دیگر",
    "آخه": "آخر",
    "واسه": "برای",
    "خونه": "خانه",
    "تهرون": "تهران",
    "بارون": "باران",
    "خیابون": "خیابان",
    "چیه": "چیست",
    "کیه": "کیست",
    "نیس": "نیست",
    "هس": "هست",
    "اینا": f"این{ZWNJ}ها",
    "اونا": f"آن{ZWNJ}ها",
    "اونجا": "آنجا",
    "همون": "همان",
    "همونطور": f"همان{ZWNJ}طور",
    "یه": "یک",
}
WORD = re.compile(f"(?<!{LETTER})(?<!{MARK})(?<!{ZWNJ})(?:{'|'.join(WORDS)})(?!{LETTER}|{MARK}|{ZWNJ})")


def formal(text: str) -> str:
    """The text with its informal verbs and words in their standard form."""
    text = VERB.sub(lambda found: f"{found[1]}{ZWNJ}{VERBS[found[2]]}", text)
    return WORD.sub(lambda found: WORDS[found[0]], text)
