"""Chat templates by name: one Jinja file each; ``own`` is the one that the model's tokenizer brings."""

from __future__ import annotations

from pathlib import Path

from sevenfold.errors import ModelError

OWN, PLAIN = "own", "plain"


def names() -> list[str]:
    """The names that :func:`read` takes."""
    return [OWN, *sorted(path.stem for path in Path(__file__).parent.glob("*.jinja"))]


def read(name: str) -> str:
    """The Jinja text of a template by its name, or of a user's ``.jinja`` file.

    Raises:
        ModelError: There is no such name or file.
    """
    path = Path(name) if name.endswith(".jinja") else Path(__file__).parent / f"{name}.jinja"
    if not path.is_file():
        raise ModelError(
            f"there is no chat template {name!r}",
            value=name,
            alternatives=names(),
            expected="one of these names, or the path of a .jinja file",
        )
    return path.read_text(encoding="utf-8")
