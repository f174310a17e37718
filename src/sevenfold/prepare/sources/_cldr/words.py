"""Numbers in words. The CLDR has rules for them, which Babel does not carry: the library num2words spells."""

from __future__ import annotations

from collections.abc import Callable

from sevenfold.prepare.sources._cldr.pair import Side, needs


def speller(side: Side) -> Callable[[int], str] | None:
    """What spells a language's numbers; None where nothing does.

    Raises:
        MachineError: The library is not installed.
    """
    try:
        from num2words import CONVERTER_CLASSES, num2words
    except ImportError:
        raise needs("num2words") from None
    name = next((name for name in (str(side.locale), side.locale.language) if name in CONVERTER_CLASSES), None)
    return (lambda number: str(num2words(number, lang=name))) if name else None
