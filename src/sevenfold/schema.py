"""What may stand in a recipe: strict sections, and named components that a section chooses.

A component is written as a name (``method: lora``), as a name with fields (``method: {lora: {rank: 16}}``), as a
name with its one main value (``source: {csv: rows.csv}``), or as a user's file (``method: {file: mine.py}``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import PydanticCustomError, core_schema

from sevenfold.errors import RecipeError
from sevenfold.registry import Registry, file_of


class Strict(BaseModel):
    """A model of the recipe: unknown keys are errors and values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class Section(Strict):
    """One stage's section of the recipe."""

    elsewhere: ClassVar[frozenset[str]] = frozenset()
    """Fields that say where work is done, and change nothing in the result: they are no part of its identity."""

    def outside(self) -> dict[str, str]:
        """Fingerprints of what the section points to outside the recipe: data files, a model's folder.

        They are part of the stage's identity, so a changed file means a new result.
        """
        return {}

    def own_files(self) -> dict[str, str]:
        """SHA-256 of the users' Python files that the section's components stand in, which is part of the identity."""
        files = {file for item in components(self) if (file := file_of(item))}
        return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)}


class Component(Strict):
    """Something a section chooses by name; its fields are its settings.

    ``main`` names the field that a plain value sets: ``{csv: rows.csv}`` is ``{csv: {path: rows.csv}}``.
    """

    main: ClassVar[str | None] = None


C = TypeVar("C", bound=Component)


def components(item: object) -> Iterator[Component]:
    """Every component in a section, also in lists and inside of others."""
    if isinstance(item, Component):
        yield item
    if isinstance(item, Strict):
        item = [getattr(item, name) for name in type(item).model_fields]
    if isinstance(item, list | tuple):
        for inner in item:
            yield from components(inner)


class Chosen:
    """Annotation of a section's field that holds a component of a registry: ``Annotated[Method, Chosen(METHODS)]``."""

    def __init__(self, registry: Registry[Any]) -> None:
        self.registry = registry

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(self.dump, when_used="always"),
        )

    def __get_pydantic_json_schema__(self, _: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Every component's own schema, so that an editor completes names and fields."""
        choices = {name: self.registry.find(name) for name in self.registry.names()}
        named = [
            {
                "type": "object",
                "properties": {name: {"anyOf": [whole_schema(kind), *main_schema(kind)]}},
                "required": [name],
                "additionalProperties": False,
                "description": (kind.__doc__ or "").split("\n")[0],
            }
            for name, kind in choices.items()
        ]
        own = {"type": "object", "properties": {"file": {"type": "string"}}, "required": ["file"]}
        return {"anyOf": [{"enum": list(choices)}, *named, own]}

    def parse(self, value: Any) -> Component:
        """The component that a recipe's value means; pydantic carries our own error to :func:`explain`."""
        try:
            return self.choose(value)
        except RecipeError as error:
            raise PydanticCustomError("component", "{problem}", {"problem": error.problem, "error": error}) from error

    def choose(self, value: Any) -> Component:
        """The component behind a name, a name with its fields, or a user's file."""
        if isinstance(value, self.registry.base):
            return value
        if isinstance(value, str):
            return build(self.registry.find(value), {}, value)
        if isinstance(value, dict) and "file" in value and "file" not in self.registry.names():
            fields = {key: item for key, item in value.items() if key != "file"}
            return build(self.registry.from_file(Path(value["file"])), fields, "file")
        if isinstance(value, dict) and len(value) == 1:
            name, fields = next(iter(value.items()))
            return build(self.registry.find(name), fields, name)
        raise RecipeError(
            f"{value!r} does not choose a {self.registry.kind}",
            expected="a name, or one name with its fields",
            alternatives=self.registry.names(),
        )

    def dump(self, item: Component) -> dict[str, Any]:
        """The component as a recipe would write it in full."""
        fields, file = item.model_dump(mode="json"), file_of(item)
        return {self.registry.name_of(item): fields} if file is None else {"file": str(file), **fields}


def build(kind: type[C], fields: Any, name: str) -> C:
    """A component from its fields, from its one main value, or from nothing (its defaults).

    Raises:
        RecipeError: A field is unknown, missing or wrong; ``name`` says whose.
    """
    if not isinstance(fields, dict):
        if fields is not None and kind.main is None:
            raise RecipeError(
                f"{name}: expected fields, got {fields!r}",
                alternatives=kind.model_fields,
                expected="a mapping",
            )
        fields = {} if fields is None else {kind.main: fields}
    try:
        return kind(**fields)
    except ValidationError as error:
        raise explain(error, kind, prefix=(name,)) from None


def whole_schema(kind: type[Component]) -> dict[str, Any]:
    """A component's schema with the mappings inside of it in place: once embedded, a reference points to nothing."""
    schema = kind.model_json_schema()
    inner = schema.pop("$defs", {})

    def placed(part: Any) -> Any:
        if isinstance(part, list):
            return [placed(one) for one in part]
        if not isinstance(part, dict):
            return part
        found = inner.get(str(part.get("$ref", "")).removeprefix("#/$defs/"), {})
        return {key: placed(value) for key, value in {**found, **part}.items() if key != "$ref"}

    return dict(placed(schema))


def main_schema(kind: type[Component]) -> list[dict[str, Any]]:
    """The schema of the plain value that sets the component's main field, if it has one."""
    if kind.main is None:
        return []
    return [whole_schema(kind)["properties"][kind.main]]


def explain(
    error: ValidationError,
    model: type[BaseModel],
    locate: Callable[[tuple[str, ...]], str | None] = lambda path: None,
    prefix: tuple[str, ...] = (),
) -> RecipeError:
    """A pydantic error as the user's error: the first problem, its key, its line, and the nearest valid key.

    Args:
        error: What pydantic raised.
        model: The model that was validated, to list the keys that exist.
        locate: Turns a key path into a place such as ``recipe.yaml:12``, or None.
        prefix: The keys above ``model`` in the recipe.
    """
    # A misspelt key is the cause of the missing one beside it, so it is told first.
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    path = tuple(str(part) for part in first["loc"])
    key = ".".join(prefix + path)
    where = locate(path) or key
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    inner = first.get("ctx", {}).get("error")
    if isinstance(inner, RecipeError):
        inner.problem = f"{key}: {inner.problem}{more}"
        inner.where = where
        return inner
    if first["type"] == "extra_forbidden":
        known = fields_at(model, path[:-1])
        return RecipeError(f"unknown key {key!r}{more}", where=where, value=path[-1], alternatives=known)
    if first["type"] == "missing":
        return RecipeError(f"{key!r} is missing{more}", where=where, next_step=f"add {key} to the recipe")
    message = first["msg"].removeprefix("Value error, ")
    return RecipeError(f"{key} = {first['input']!r}: {message}{more}", where=where)


def fields_at(model: type[BaseModel], path: tuple[str, ...]) -> list[str]:
    """The keys that a recipe may have at ``path``."""
    for part in path:
        field = model.model_fields.get(part)
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)
