"""Mojibake: text that was decoded with the wrong encoding, put right where that can be known."""

from __future__ import annotations

from collections.abc import Callable

from sevenfold.errors import MachineError
from sevenfold.prepare.clean import Outcome, Single, rewritten
from sevenfold.prepare.clean._windows import reread
from sevenfold.prepare.dataset import Row


class Mojibake(Single):
    """Text that was read in the wrong encoding (``Ø³Ù„Ø§Ù…``, ``cafÃ©``) as it was meant; nothing else changes.

    ftfy decides by the characters that stand together whether a text is mojibake, and errs on the side of leaving it.
    Before it, Persian and Arabic of Windows-1256 that was read as Western text (``ÓáÇã``) is put right.
    """

    def start(self) -> Callable[[Row], Outcome]:
        """Repair every message."""
        repair = repairer()
        return lambda row: rewritten(row, repair)


def repairer() -> Callable[[str], str]:
    """The function that repairs a text; doing it twice is doing it once.

    Raises:
        MachineError: The library ftfy is not installed.
    """
    try:
        import ftfy
    except ModuleNotFoundError as error:
        raise MachineError("ftfy is not installed", next_step="pip install 'sevenfold[prepare]'") from error
    # Only the encoding is ftfy's business here: entities, quotes, ligatures and widths are other steps' or the user's.
    config = ftfy.TextFixerConfig(
        unescape_html=False,
        remove_terminal_escapes=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        uncurl_quotes=False,
        fix_line_breaks=False,
        remove_control_chars=False,
        normalization=None,
        explain=False,
    )

    def repair(text: str) -> str:
        # First: to ftfy the misread letters of Windows-1256 are Western ones, some of them in need of repair.
        text = reread(text)
        # A repair can lay bare another layer: text that was misread twice and mended line by line.
        fixed = ftfy.fix_text(text, config)
        while fixed != text:
            text, fixed = fixed, ftfy.fix_text(fixed, config)
        return fixed

    return repair
