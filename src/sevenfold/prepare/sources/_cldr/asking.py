"""How an item is asked for: instructions in English and in Persian."""

from __future__ import annotations

from typing import Literal, get_args

Language = Literal["en", "fa"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

NOUNS: dict[str, dict[str, str]] = {
    "en": {
        "territories": "country or region",
        "languages": "language",
        "currencies": "currency",
        "scripts": "script",
        "units": "unit",
        "months": "month",
        "weekdays": "weekday",
        "dates": "date",
        "numbers": "number",
        "measures": "measure",
        "amounts": "amount",
    },
    "fa": {
        "territories": "کشور یا منطقه",
        "languages": "زبان",
        "currencies": "واحد پول",
        "scripts": "خط",
        "units": "واحد",
        "months": "ماه",
        "weekdays": "روز هفته",
        "dates": "تاریخ",
        "numbers": "عدد",
        "measures": "مقدار",
        "amounts": "مبلغ",
    },
}

FORMS: dict[str, dict[str, str]] = {
    "en": {
        "full": "with the weekday",
        "long": "in long form",
        "medium": "in medium form",
        "digits": "in digits",
        "words": "in words",
        "iso": "as year-month-day",
    },
    "fa": {
        "full": "با روز هفته",
        "long": "به شکل بلند",
        "medium": "به شکل متوسط",
        "digits": "با رقم",
        "words": "به حروف",
        "iso": "به شکل سال-ماه-روز",
    },
}
"""What is said of the style that is asked for, where there is more than one."""

QUESTIONS: dict[str, dict[str, dict[str, str]]] = {
    "en": {
        "name": {
            "translate": "Translate the name of this {noun} into {target}: {text}",
            "say": "How do you say the {noun} {text} in {target}?",
            "label": "{noun}, {source} to {target}: {text}",
        },
        "code": {"code": "What is the {target} name of the {noun} with the code {text}?"},
        "list": {
            "translate": "Translate this list ({noun}) into {target}: {text}",
            "label": "list ({noun}), {source} to {target}: {text}",
        },
        "quantity": {
            "translate": "Translate this {noun} into {target}: {text}",
            "say": "How do you say {text} in {target}?",
        },
        "form": {
            "write": "Write this {noun} in {target} {form}: {text}",
            "say": "What is the {noun} {text} in {target} {form}?",
        },
        "iso": {"write": "Write this {noun} {form}: {text}"},
    },
    "fa": {
        "name": {
            "translate": "نام این {noun} را به {target} بنویس: {text}",
            "say": "{noun} {text} به {target} چه می‌شود؟",
            "label": "{noun}، {source} به {target}: {text}",
        },
        "code": {"code": "نام {noun} با کد {text} به {target} چیست؟"},
        "list": {
            "translate": "این فهرست ({noun}) را به {target} بنویس: {text}",
            "label": "فهرست ({noun})، {source} به {target}: {text}",
        },
        "quantity": {
            "translate": "این {noun} را به {target} بنویس: {text}",
            "say": "{text} به {target} چه می‌شود؟",
        },
        "form": {
            "write": "این {noun} را به {target} {form} بنویس: {text}",
            "say": "{noun} {text} به {target} {form} چیست؟",
        },
        "iso": {"write": "این {noun} را {form} بنویس: {text}"},
    },
}


def question_of(given: str, asked: str) -> str:
    """Which questions fit a given and an asked style; a key of :data:`QUESTIONS`."""
    if given == "code" or asked == "iso":
        return given if given == "code" else asked
    return asked if asked in ("name", "list", "quantity") else "form"
