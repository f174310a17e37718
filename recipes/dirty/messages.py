"""Real rows to be soiled: messages of open programs in English and Persian, each with what part of a program says it.

The messages come from the gettext catalogues of Django, Django REST framework, django-allauth and Sphinx, which their
translators wrote over years: half-spaces here and there, Arabic letters, markup, placeholders. Nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from sevenfold.prepare.sources import Reading
from sevenfold.prepare.sources.gettext import Gettext

TOPICS = {
    "sphinx": "documentation",
    "contrib.admindocs": "documentation",
    "allauth": "accounts",
    "contrib.auth": "accounts",
    "contrib.admin": "administration",
    "contrib.flatpages": "administration",
    "contrib.redirects": "administration",
    "rest_framework": "interfaces",
}
"""Where a message stands to its topic: interfaces are rare, as they are."""
FEWEST = 3
"""Words of the English message; single words belong to no topic."""
ASKS = {"fa": "Translate into Persian:", "en": "Translate into English:"}
Row = dict[str, str]


def messages(package: str, language: str) -> Iterator[tuple[str, str, str]]:
    """Topic, English message and translation, of one package."""
    silent = Reading(lambda size: None, lambda text: None, lambda text: None)
    for raw in Gettext(path=package, language=language).rows(silent):
        topic = TOPICS.get(raw.values["domain"]) or TOPICS.get(package)
        if topic and len(raw.values["source"].split()) >= FEWEST:
            yield topic, raw.values["source"].strip(), raw.values["translation"].strip()


def rows(seed: int) -> list[Row]:
    """The rows, each message once in one of the two directions; `product` is the package that says it."""
    dice, found, seen = Random(seed), [], set()
    for package in ("allauth", "django", "rest_framework", "sphinx"):
        for topic, english, persian in messages(package, "fa"):
            if {english, persian} & seen:
                continue
            seen |= {english, persian}
            into = dice.choice(("fa", "en"))
            asked, answer = (english, persian) if into == "fa" else (persian, english)
            found.append(row(asked, answer, into, topic, package))
    dice.shuffle(found)
    for number, one in enumerate(found, start=1):
        one["id"] = f"m{number:04d}"
    return found


def foreign(count: int, seed: int) -> list[Row]:
    """Real rows in two other languages that slipped in: French answers to German questions."""
    german = {english: said for _, english, said in messages("django", "de")}
    french = {english: said for _, english, said in messages("django", "fr")}
    both = sorted(english for english in german.keys() & french.keys() if len(english.split()) >= 8)
    return [
        row(german[english], french[english], "fa", "administration", "django")
        for english in Random(seed).sample(both, count)
    ]


def row(asked: str, answer: str, into: str, topic: str, product: str) -> Row:
    """One exchange with its columns."""
    return {
        "id": "",
        "prompt": f"{ASKS[into]}\n\n{asked}",
        "completion": answer,
        "topic": topic,
        "product": product,
        "team": "localisation",
    }
