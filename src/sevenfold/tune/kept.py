"""A training's components as its result keeps them: users' files lie beside it, for whoever opens it later."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.registry import file_of
from sevenfold.schema import components

if TYPE_CHECKING:
    from sevenfold.tune.section import TuneSection

OWN = Path("own")


def written(section: TuneSection, part: str, folder: Path) -> dict[str, Any]:
    """A component as a recipe writes it; users' files, its own and those of what it chose, go into the folder.

    Args:
        section: The recipe's section.
        part: The component's key in it.
        folder: The result's.
    """
    files = {str(file): file for item in components(getattr(section, part)) if (file := file_of(item))}

    def keep(named: str) -> str:
        if named not in files:
            return named
        number = list(files).index(named)
        place = OWN / part / (str(number) if number else "") / files[named].name
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(files[named], folder / place)
        return str(place)

    found: dict[str, Any] = with_files(section.model_dump(mode="json")[part], keep)
    return found


def opened(kept: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What :func:`written` gave, with users' files as they lie in the folder."""

    def here(named: str) -> str:
        return str(folder / named) if OWN in Path(named).parents else named

    found: dict[str, Any] = with_files(kept, here)
    return found


def with_files(value: Any, change: Callable[[str], str]) -> Any:
    """A value with the texts of all its keys ``file`` changed."""
    if isinstance(value, dict):
        return {
            key: change(item) if key == "file" and isinstance(item, str) else with_files(item, change)
            for key, item in value.items()
        }
    return [with_files(item, change) for item in value] if isinstance(value, list) else value
