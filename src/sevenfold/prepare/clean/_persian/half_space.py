"""The half-space (ZWNJ, U+200C): between the parts of one word, and nowhere else."""

from __future__ import annotations

import re

from sevenfold.prepare.clean._persian.letters import LETTER, MARK, ZWNJ, words

INSIDE = f"(?:\\w|{MARK}|[\u0900-\u0dff])"
"""What a half-space can stand beside; Indic scripts have their own use for it."""
SEVERAL = re.compile(f"{ZWNJ}{{2,}}")
STRAY = re.compile(f"(?<!{INSIDE}){ZWNJ}|{ZWNJ}(?!{INSIDE})")

START, END = f"(?<!{LETTER})(?<!{MARK})(?<!{ZWNJ})", f"(?!{LETTER}|{MARK}|{ZWNJ})"

PERSONS = "ام|ات|اش|ایم|اید|اند|مان|تان|شان|ای"
PREFIX = re.compile(f"{START}(ن?می) (?={LETTER}+[مدینته]{END})")
"""``می روم``: before what can be a verb, by its ending; ``می ناب`` (pure wine) stays."""

STEMS = (
    "کن|شو|رو|خواه|توان|گوی|گو|دان|دار|آی|گیر|ده|خور|بین|نویس|خوان|رس|ساز|بر|زن|کش|شنو|فهم|پرس|گذار|مان|آور|فرست|"
    "کرد|شد|رفت|خواست|توانست|گفت|دانست|داشت|آمد|گرفت|داد|خورد|دید|نوشت|خواند|رسید|ساخت|برد|زد|کشید|شنید|فهمید|"
    "پرسید|گذاشت|ماند|آورد"
)
JOINED = re.compile(f"{START}(ن?می)((?:{STEMS})(?:م|ی|د|یم|ید|ند)){END}")
"""``میخواهم``: written as one word, known by stem and ending."""
NOT_JOINED = frozenset({"میدانی"})
"""Words that only look so: this one is also "of the field"."""

PLURAL = re.compile(f"(?<={LETTER}) (?=ها(?:ی|یی|یم|یت|یش|یمان|یتان|یشان)?{END})")
SUPERLATIVE = re.compile(f"(?<={LETTER}) (?=ترین(?:ها|{ZWNJ}ها|های|{ZWNJ}های)?{END})")
COMPARATIVE = re.compile(f"{START}({LETTER}{{2,}}) (?=تر(?:ی)?{END})")
WET = words("چشم لباس دستمال چوب هیزم خاک مژه مژگان دیده دامن پارچه مو موی زمین هوا دست خشک و")
"""Behind these ``تر`` is the word "wet", not the ending of the comparative."""
PERSON = re.compile(f"{START}({LETTER}{{2,}}ه) (?=(?:{PERSONS}){END})")
NO_PERSON = words("همه راه ماه شاه گاه نگاه چاه کوه گروه انبوه دانشگاه فروشگاه آگاه کوتاه سیاه گناه پناه")
"""Words whose last letter is the consonant h, or behind which ``ای`` and ``ات`` are words of their own."""


def inside_only(text: str) -> str:
    """The text without half-spaces at the edges of words, and with one where several stand."""
    return STRAY.sub("", SEVERAL.sub(ZWNJ, text))


def half_space(text: str) -> str:
    """The text with half-spaces where the Academy puts them."""
    text = PREFIX.sub(f"\\1{ZWNJ}", text)
    text = JOINED.sub(lambda found: found[0] if found[0] in NOT_JOINED else f"{found[1]}{ZWNJ}{found[2]}", text)
    text = PLURAL.sub(ZWNJ, text)
    text = SUPERLATIVE.sub(ZWNJ, text)
    text = COMPARATIVE.sub(lambda found: found[0] if found[1] in WET else found[1] + ZWNJ, text)
    return PERSON.sub(lambda found: found[0] if found[1] in NO_PERSON else found[1] + ZWNJ, text)
