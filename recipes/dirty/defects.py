"""What is wrong with data as people have it: each defect is a function that spoils one row."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from messages import Row

Spoil = Callable[[Row, Random], Row]


def persian(row: Row) -> str:
    """The column whose text is Persian."""
    return "completion" if row["prompt"].startswith("Translate into Persian") else "prompt"


def words(row: Row) -> int:
    """Words of the reply."""
    return len(row["completion"].split())


def copied(row: Row, dice: Random) -> Row:
    """The same row again, with other white space."""
    return row | {"completion": row["completion"].replace(" ", "  ", 1) + " "}


def nearly_copied(row: Row, dice: Random) -> Row:
    """The same row with a word more in its prompt."""
    return row | {"prompt": f"{row['prompt']} {dice.choice(('please', 'thanks', 'now'))}"}


def mojibake(row: Row, dice: Random) -> Row:
    """Persian that was read in the wrong encoding."""
    column = persian(row)
    return row | {column: row[column].encode().decode("latin-1")}


def marked_up(row: Row, dice: Random) -> Row:
    """A reply as an editor in the browser leaves it."""
    return row | {"completion": f'<div class="msg"><p>{row["completion"]}</p>&nbsp;<br/></div>'}


def arabic(row: Row, dice: Random) -> Row:
    """Persian typed on an Arabic keyboard."""
    column = persian(row)
    return row | {column: row[column].translate(str.maketrans("یک", "يك"))}


def spaced(row: Row, dice: Random) -> Row:
    """White space and invisible characters of many kinds."""
    return row | {"completion": "\ufeff \t" + row["completion"].replace(" ", "\u00a0 ", 2) + " \u200b\r\n"}


def without_reply(row: Row, dice: Random) -> Row:
    """An empty reply."""
    return row | {"completion": dice.choice(("", "   ", "\u200b"))}


def without_product(row: Row, dice: Random) -> Row:
    """A missing value, as tables write it."""
    return row | {"product": dice.choice(("", "N/A", "null"))}


def repeating(row: Row, dice: Random) -> Row:
    """A reply that begins as a bad summary does."""
    return row | {"completion": f"This article suggests that {row['completion']}"}


def junk(row: Row, dice: Random) -> Row:
    """A reply that is no text."""
    marks = "".join(dice.choice("#$%&*+=/\\|~^") for _ in range(40))
    return row | {"completion": " ".join(marks[start : start + 3] for start in range(0, 40, 3))}


def endless(row: Row, dice: Random) -> Row:
    """A whole document in the place of a message."""
    return row | {"completion": "\n".join(f"{number}. {row['completion']}" for number in range(120))}


def harmful(row: Row, dice: Random) -> Row:
    """A reply with a threat."""
    return row | {"completion": f"{row['completion']} {dice.choice(('I will find you and hurt you.', 'خودت را بکش.'))}"}


def mislabelled(row: Row, dice: Random) -> Row:
    """Another topic than the true one."""
    topics = sorted({"documentation", "accounts", "administration", "interfaces"} - {row["topic"]})
    return row | {"topic": dice.choice(topics)}


def unlabelled(row: Row, dice: Random) -> Row:
    """No topic yet."""
    return row | {"topic": ""}


def telling(kind: str) -> Spoil:
    """A defect: personal data of a kind behind the reply. All are made up; their check digits are right."""

    def tell(row: Row, dice: Random) -> Row:
        return row | {"completion": f"{row['completion']} {PERSONAL[kind](dice)}"}

    return tell


def digits(dice: Random, count: int) -> str:
    """Some digits."""
    return "".join(str(dice.randrange(10)) for _ in range(count))


def card(dice: Random) -> str:
    """A card's number by Luhn's rule (ISO/IEC 7812-1), of a range of an Iranian bank."""
    body = "603799" + digits(dice, 9)
    doubled = (int(figure) * (2 - place % 2) for place, figure in enumerate(body))
    total = sum(figure - 9 if figure > 9 else figure for figure in doubled)
    whole = body + str(-total % 10)
    return "-".join(whole[start : start + 4] for start in range(0, 16, 4))


def national_id(dice: Random) -> str:
    """An Iranian national id: the last digit is that of the sum weighted 10 to 2, modulo 11."""
    body = "0" + digits(dice, 8)
    rest = sum(int(figure) * (10 - place) for place, figure in enumerate(body)) % 11
    return body + str(rest if rest < 2 else 11 - rest)


def iban(dice: Random) -> str:
    """An Iranian account by the rule of ISO 13616: modulo 97."""
    body = "0" + digits(dice, 21)
    return f"IR{98 - int(body + '182700') % 97:02d}{body}"


def persian_digits(text: str) -> str:
    """The same number as Persians write it."""
    return text.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))


PERSONAL: dict[str, Callable[[Random], str]] = {
    "email": lambda dice: f"user{digits(dice, 4)}@nashr-e-ketab.ir",
    "phone": lambda dice: persian_digits(f"0912{digits(dice, 7)}"),
    "card": card,
    "national_id": lambda dice: f"کد ملی {persian_digits(national_id(dice))}",
    "iban": iban,
}
SPOILS: dict[str, tuple[int, Spoil, Callable[[Row], bool]]] = {
    "mojibake": (40, mojibake, lambda row: True),
    "html": (30, marked_up, lambda row: words(row) > 4),
    "arabic letters": (40, arabic, lambda row: {"ی", "ک"} <= set(row[persian(row)])),
    "white space": (30, spaced, lambda row: words(row) > 4),
    "empty reply": (15, without_reply, lambda row: True),
    "missing value": (30, without_product, lambda row: True),
    "repeated opening": (30, repeating, lambda row: persian(row) == "prompt"),
    "junk": (15, junk, lambda row: True),
    "too long": (5, endless, lambda row: words(row) > 6),
    "harmful": (8, harmful, lambda row: True),
    "wrong label": (50, mislabelled, lambda row: words(row) > 5),
    "unlabelled": (150, unlabelled, lambda row: True),
    **{f"personal: {kind}": (8, telling(kind), lambda row: True) for kind in PERSONAL},
}
"""Defect to how many rows it spoils, how, and which rows it can be planted in."""
COPIES: dict[str, tuple[int, Spoil, Callable[[Row], bool]]] = {
    "duplicate": (40, copied, lambda row: words(row) > 3),
    "near-duplicate": (30, nearly_copied, lambda row: words(row) + len(row["prompt"].split()) >= 24),
}
"""The same for defects that add a row."""
