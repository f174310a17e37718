"""How a recipe names its sources: a plain path, a kind with its path, or a list of these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import PydanticCustomError

from sevenfold.errors import DataError, RecipeError
from sevenfold.prepare.files import plain_suffixes
from sevenfold.prepare.sources import SOURCES, Source
from sevenfold.schema import Chosen, build


class SourceChoice(Chosen):
    """Annotation of the field that holds one or more sources."""

    def __init__(self) -> None:
        super().__init__(SOURCES)

    def __get_pydantic_json_schema__(self, source: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """One source, a plain path, or a list of these."""
        one = super().__get_pydantic_json_schema__(source, handler)
        named = [choice for choice in one["anyOf"] if "enum" not in choice]
        single = {"anyOf": [{"type": "string", "description": "A path; its extension says the kind."}, *named]}
        return {"anyOf": [*single["anyOf"], {"type": "array", "items": single}]}

    def parse(self, value: Any) -> Any:
        """The sources as a tuple, whether one or a list is written."""
        listed = isinstance(value, list | tuple)
        if listed and not value:
            error = RecipeError("no source is named", alternatives=SOURCES.names())
            raise PydanticCustomError("component", "{problem}", {"problem": error.problem, "error": error})
        return tuple(super(SourceChoice, self).parse(item) for item in (value if listed else [value]))

    def choose(self, value: Any) -> Any:
        """The source behind one item; a string is a path whose kind its extension says."""
        if isinstance(value, str):
            return source_at(value)
        return super().choose(value)

    def dump(self, item: Any) -> Any:
        """The sources as a recipe would write them in full."""
        written = [super(SourceChoice, self).dump(source) for source in item]
        return written[0] if len(written) == 1 else written


def source_at(path: str) -> Source:
    """The source that reads a plain path, or one that needs none, by its name.

    Raises:
        RecipeError: The string is the name of a kind, which needs a path; or no kind reads such a path.
    """
    found = kinds_at(path)
    if len(found) == 1:
        name = found.pop()
        return build(SOURCES.find(name), [path] if name == "web" else path, name)
    if path in SOURCES.names():
        kind = SOURCES.find(path)
        if not any(field.is_required() for field in kind.model_fields.values()):
            return build(kind, {}, path)
        raise RecipeError(
            f"the source {path!r} needs a path", expected=f"{{{path}: PATH}}", next_step=f"source: {{{path}: PATH}}"
        )
    if found:
        raise RecipeError(
            f"the folder {path!r} holds files of several kinds",
            alternatives=sorted(found),
            next_step=f"choose one: source: {{{min(found)}: {path}}}, or list several sources",
        )
    raise RecipeError(
        f"cannot tell from {path!r} which kind of source it is",
        value=path,
        alternatives=sorted({*SOURCES.names(), *extensions()}),
        next_step=f"name the kind: source: {{csv: {path}}}",
    )


def extensions() -> set[str]:
    """Every extension that chooses a source."""
    return {suffix for name in SOURCES.names() for suffix in SOURCES.find(name).suffixes}


def kinds_at(path: str) -> set[str]:
    """The kinds of source that read what stands at a path: pages by an address, a saved dataset, or by extension."""
    if path.startswith(("http://", "https://")):
        return {"web"}
    place = Path(path).expanduser()
    if any((place / mark).is_file() for mark in ("dataset_dict.json", "state.json")):
        return {"hf"}
    kinds = {suffix: name for name in SOURCES.names() for suffix in SOURCES.find(name).suffixes}
    return {kinds[suffix] for suffix in suffixes_at(place) if suffix in kinds}


def suffixes_at(path: Path) -> set[str]:
    """The extension of a file or glob; of a folder and of an archive the extensions in it."""
    if path.is_dir():
        return {suffix for file in path.rglob("*") if file.is_file() for suffix in suffixes_or_none(file)}
    try:
        return plain_suffixes(path)
    except DataError as error:
        raise RecipeError(error.problem, where=error.where, next_step=error.next_step) from None


def suffixes_or_none(file: Path) -> set[str]:
    """The same of a file among others; a broken archive says nothing here, and is told when the folder is read."""
    try:
        return plain_suffixes(file)
    except DataError:
        return set()
