"""Writes the rows of the small benchmarks that come along, from packages on this machine.

    python recipes/benchmarks/make.py FOLDER

Each file is drawn with a fixed seed. Right answers stand equally often in every place, and wrong ones are of the same
kind as the right one. The task files beside the rows say how they are asked.
"""

from __future__ import annotations

import importlib
import inspect
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHOICES = 4
SHOTS = 8
"""Rows of each set that are shown as examples and never asked."""
# fmt: off
MODULES = (
    "argparse", "ast", "base64", "bisect", "calendar", "collections", "configparser", "contextlib", "copy", "csv",
    "dataclasses", "datetime", "decimal", "difflib", "email.utils", "enum", "fnmatch", "fractions", "functools",
    "getpass", "glob", "gzip", "hashlib", "heapq", "hmac", "html", "http.client", "inspect", "ipaddress",
    "itertools", "json", "keyword", "linecache", "locale", "logging", "math", "mimetypes", "netrc", "operator",
    "os", "os.path", "pathlib", "pickle", "platform", "pprint", "random", "re", "secrets", "shelve", "shlex",
    "shutil", "signal", "smtplib", "socket", "sqlite3", "ssl", "statistics", "string", "struct", "subprocess",
    "tarfile", "tempfile", "textwrap", "threading", "time", "timeit", "tokenize", "traceback", "types",
    "unicodedata", "unittest", "urllib.parse", "urllib.request", "uuid", "warnings", "wave", "weakref",
    "webbrowser", "xml.etree.ElementTree", "zipfile", "zlib",
)
# fmt: on
KINDS_OF_MESSAGE = (3, 90)
"""Words at least and characters at most of a message that is translated."""


def shuffled(draws: random.Random, right: str, wrong: list[str], place: int) -> dict[str, Any]:
    """The choices with the right one in its place."""
    choices = draws.sample(wrong, CHOICES - 1)
    choices.insert(place % CHOICES, right)
    return {"choices": choices, "answer": place % CHOICES}


def territories() -> Iterator[dict[str, Any]]:
    """The Persian names of countries, of the CLDR."""
    from babel import Locale

    english, persian = Locale("en").territories, Locale("fa").territories
    # Two letters: countries. Names of one root in both languages are asked all the same, as in any quiz.
    codes = sorted(code for code in english if len(code) == 2 and code in persian and code not in ("ZZ", "XA", "XB"))
    draws = random.Random(17)
    draws.shuffle(codes)
    for place, code in enumerate(codes):
        wrong = [persian[other] for other in codes if persian[other] != persian[code]]
        yield {"country": english[code], **shuffled(draws, persian[code], wrong, place)}


def numbers() -> Iterator[dict[str, Any]]:
    """Numbers in Persian words, half of them below a hundred."""
    from num2words import num2words

    draws = random.Random(17)
    small, large = draws.sample(range(100), 60), draws.sample(range(100, 10_000), 60)
    for number in [value for pair in zip(small, large, strict=True) for value in pair]:
        yield {"words": num2words(number, lang="fa"), "digits": str(number)}


def messages() -> Iterator[dict[str, Any]]:
    """Messages of Django with their translations into Persian, by its volunteers."""
    import django
    from babel.messages.pofile import read_po

    found: dict[str, str] = {}
    for path in sorted(Path(django.__file__).parent.glob("**/locale/fa/LC_MESSAGES/django.po")):
        with path.open("rb") as file:
            entries = [entry for entry in read_po(file) if isinstance(entry.id, str) and not entry.fuzzy]
        found |= {entry.id: str(entry.string) for entry in entries if plain(entry.id) and plain(entry.string)}
    rows = sorted(found.items())
    random.Random(17).shuffle(rows)
    # As many as the other sets have, so that no set takes all the time.
    for english, persian in rows[:208]:
        yield {"english": english, "persian": persian}


def plain(text: object) -> bool:
    """A sentence of its own: no placeholders, no lines, neither a word nor a paragraph."""
    words, characters = KINDS_OF_MESSAGE
    said = str(text)
    return not set("%{}<>\n") & set(said) and len(said.split()) >= words and len(said) <= characters


def functions() -> dict[str, tuple[str, str]]:
    """Functions of the standard library: full name to the module and the first sentence of its documentation."""
    found: dict[str, tuple[str, str]] = {}
    for name in MODULES:
        module = importlib.import_module(name)
        for key, item in sorted(vars(module).items()):
            if not (inspect.isfunction(item) or inspect.isbuiltin(item)) or key.startswith("_"):
                continue
            sentence = " ".join((inspect.getdoc(item) or "").split("\n\n")[0].split())
            if getattr(item, "__module__", "") == name and 30 <= len(sentence) <= 200 and key not in sentence:
                found[f"{name}.{key}"] = (name, sentence)
    return found


def modules() -> Iterator[dict[str, Any]]:
    """Which module a function of the standard library is in, at most four of one module."""
    draws, known = random.Random(17), functions()
    names = sorted(known)
    draws.shuffle(names)
    used: dict[str, int] = {}
    rows = []
    for name in names:
        module, sentence = known[name]
        used[module] = used.get(module, 0) + 1
        # A module that is named by what is asked would give itself away.
        told = f"{name.removeprefix(module + '.')} {sentence}".lower()
        if used[module] <= 4 and module.split(".")[-1].lower() not in told:
            rows.append((name.removeprefix(module + "."), module, sentence))
    wrong = sorted({module for _, module, _ in rows})
    for place, (function, module, sentence) in enumerate(rows):
        others = [other for other in wrong if other != module]
        yield {"function": function, "says": sentence, **shuffled(draws, module, others, place)}


def passages() -> Iterator[dict[str, Any]]:
    """Which of four passages of documentation is about a function; where there are enough, all of its own module."""
    draws, known = random.Random(29), functions()
    names = sorted(known)
    draws.shuffle(names)
    for place, name in enumerate(names[:240]):
        module, sentence = known[name]
        near = sorted({said for own, said in known.values() if own == module and said != sentence})
        far = sorted({said for own, said in known.values() if own != module and said != sentence})
        yield {"function": name, **shuffled(draws, sentence, near if len(near) >= CHOICES - 1 else far, place)}


def write(folder: Path) -> None:
    """Every set: the rows that are shown, and those that are asked."""
    sets = {
        "fa_countries": territories,
        "fa_numbers": numbers,
        "fa_messages": messages,
        "python_modules": modules,
        "find_passage": passages,
    }
    for name, rows in sets.items():
        made = list(rows())
        for part, chosen in (("shown", made[:SHOTS]), ("asked", made[SHOTS:])):
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen)
            (folder / f"{name}-{part}.jsonl").write_text(text, encoding="utf-8")
        print(f"{name}: {len(made) - SHOTS} rows")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
