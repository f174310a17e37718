"""Fills the pages with tables made from the code itself, so that they say what the code does.

mkdocs calls :func:`on_page_markdown` for every page. These comments in a page are replaced:

- ``<!-- section NAME -->``: the fields of a stage's section, and of the mappings inside of it;
- ``<!-- registry PACKAGE -->``: every component of a registry with its fields;
- ``<!-- templates -->``, ``<!-- catalogue -->``, ``<!-- tolerances -->``, ``<!-- benchmarks -->``, ``<!-- suites -->``,
  ``<!-- commands -->``: lists by their names.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import types
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sevenfold.registry import Registry
from sevenfold.schema import Chosen, Component

MARKER = re.compile(
    r"^<!-- (section|registry|templates|catalogue|tolerances|benchmarks|suites|commands) ?([\w.]*) -->$", re.M
)
LIMITS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
PLAIN = {int: "whole number", float: "number", str: "text", bool: "true or false", type(None): "null", Any: "any value"}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The event of mkdocs: a page's text before it becomes HTML."""
    return fill(markdown)


def fill(markdown: str) -> str:
    """A page's text with every marker replaced."""
    makers: dict[str, Callable[[str], Iterator[str]]] = {
        "section": section_lines,
        "registry": registry_lines,
        "templates": template_lines,
        "catalogue": catalogue_lines,
        "tolerances": tolerance_lines,
        "benchmarks": benchmark_lines,
        "suites": suite_lines,
        "commands": command_lines,
    }
    return MARKER.sub(lambda found: "\n".join(makers[found[1]](found[2])), markdown)


def section_lines(stage: str) -> Iterator[str]:
    """The fields of a stage's section; mappings inside of it follow with tables of their own."""
    module = importlib.import_module(f"sevenfold.{stage}.section")
    model = getattr(module, f"{stage.capitalize()}Section")
    yield from field_table(model)
    for name, field in model.model_fields.items():
        for inner in mappings_in(field.annotation):
            yield from ("", f"### `{stage}.{name}`", "", first_paragraph(inner), "")
            yield from field_table(inner)


def mappings_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models of mappings that a field holds, components apart: those have pages' parts of their own."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        if not issubclass(annotation, Component):
            yield annotation
        return
    for part in get_args(annotation):
        yield from mappings_in(part)


def registry_lines(package: str) -> Iterator[str]:
    """Every component of a registry: its name, what it is, and its fields."""
    registry = registry_of(package)
    for name in registry.names():
        kind = registry.find(name)
        yield from (f"#### `{name}`", "", first_paragraph(kind), "")
        if kind.main:
            yield from (f"A plain value sets `{kind.main}`: `{{{name}: ...}}`.", "")
        if kind.model_fields:
            yield from field_table(kind)
            yield ""


def registry_of(package: str) -> Registry[Any]:
    """The registry that a package defines."""
    values = vars(importlib.import_module(package)).values()
    return next(value for value in values if isinstance(value, Registry) and value.package == package)


def field_table(model: type[BaseModel]) -> Iterator[str]:
    """A model's fields: name, type, default, meaning."""
    yield "| field | type | default | meaning |"
    yield "|---|---|---|---|"
    for name, field in model.model_fields.items():
        cells = (f"`{name}`", type_of(field), default_of(field), prose(field.description or ""))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def type_of(field: FieldInfo) -> str:
    """A field's type in words, with its limits."""
    text = type_text(field.annotation, field.metadata)
    limits = [f"{sign} {getattr(rule, name):g}" for rule in field.metadata for name, sign in limits_in(rule)]
    return ", ".join([text, *limits])


def limits_in(rule: object) -> Iterator[tuple[str, str]]:
    """The limits that a piece of a field's metadata holds."""
    yield from ((name, sign) for name, sign in LIMITS.items() if getattr(rule, name, None) is not None)


def type_text(annotation: Any, metadata: list[Any] | tuple[Any, ...] = ()) -> str:
    """An annotation in words."""
    chosen = next((rule for rule in metadata if isinstance(rule, Chosen)), None)
    if chosen:
        return f"{chosen.registry.kind}, or a list" if get_origin(annotation) is tuple else chosen.registry.kind
    if annotation in PLAIN:
        return PLAIN[annotation]
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_text(parts[0], parts[1:])
    if origin is Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if origin in (Union, types.UnionType):
        return " or ".join(type_text(part) for part in parts)
    if origin in (list, tuple):
        return f"list of {type_text(parts[0])}s" if parts[0] is not str else "list of texts"
    if origin is dict:
        return "mapping"
    return "mapping" if issubclass(annotation, BaseModel) else str(annotation)


def default_of(field: FieldInfo) -> str:
    """A field's default as a recipe would write it."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel) and not isinstance(value, Component):
        return "as below"
    return f"`{plain(value)}`"


def plain(value: Any) -> str:
    """A default value in the recipe's words."""
    if isinstance(value, Component):
        return type(value).__module__.rsplit(".", 1)[-1]
    if isinstance(value, list | tuple):
        return "[" + ", ".join(plain(item) for item in value) + "]"
    return value if isinstance(value, str) and value else json.dumps(value)


def first_paragraph(kind: type) -> str:
    """The first paragraph of a class's docstring."""
    return prose((inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " "))


def prose(text: str) -> str:
    """A docstring's marks as Markdown's."""
    return re.sub(r":\w+:`([^`]+)`", r"`\1`", text).replace("``", "`")


def template_lines(_: str) -> Iterator[str]:
    """The chat templates by name."""
    from sevenfold.chat import templates

    yield ", ".join(f"`{name}`" for name in templates.names())


def catalogue_lines(_: str) -> Iterator[str]:
    """The models that are known by name."""
    from sevenfold.load import catalogue

    yield "| name | model | parameters | licence | fetched | kept |"
    yield "|---|---|---|---|---|---|"
    for name in catalogue.names():
        entry = catalogue.find(name)
        assert entry is not None
        sizes = [f"{size / 1e6:,.0f} MB" for size in (entry.download_bytes, entry.kept_bytes)]
        yield f"| `{name}` | {entry.title} | {entry.parameters:,} | {entry.licence} | {sizes[0]} | {sizes[1]} |"


def tolerance_lines(_: str) -> Iterator[str]:
    """What the proof of exports allows, by precision."""
    from sevenfold.prove.export import TOLERANCE

    yield "| precision of the file | largest difference, nats |"
    yield "|---|---|"
    yield from (f"| {precision} | {limit:g} |" for precision, limit in TOLERANCE.items())


def benchmark_lines(_: str) -> Iterator[str]:
    """The benchmarks that are known by name."""
    from sevenfold.evaluate.benchmarks import known

    yield "| name | benchmark | measures | for | lm-eval's tasks | figure | guessing | rows | needs; stands in |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, one in known.benchmarks().items():
        tasks = ", ".join(f"`{task}`" for task in one.tasks) or "none"
        chance = "" if one.chance is None else f"{one.chance:g}"
        more = "; ".join(text for text in (one.needs, one.instead) if text)
        cells = (f"`{name}`", one.title, one.measures, ", ".join(one.uses), tasks, one.metric, chance, one.data, more)
        yield "| " + " | ".join(cells) + " |"


def suite_lines(_: str) -> Iterator[str]:
    """The suites, each member with its reason."""
    from sevenfold.evaluate.benchmarks import known

    yield "| suite | benchmark | why it is in |"
    yield "|---|---|---|"
    for suite, members in known.suites().items():
        yield from (f"| `{suite}` | `{name}` | {reason} |" for name, reason in members.items())


def command_lines(_: str) -> Iterator[str]:
    """The commands with their options."""
    import typer.main

    from sevenfold.cli import app

    yield "| command | what it does | options |"
    yield "|---|---|---|"
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name, command in ((name, command) for name, command in commands.items() if not command.hidden):
        arguments = [p.metavar for p in command.params if p.param_type_name == "argument"]
        options = [f"`{max(p.opts, key=len)}`" for p in command.params if p.param_type_name == "option"]
        help_text = (command.help or "").replace("\n", " ")
        yield f"| `sevenfold {' '.join([name, *arguments])}` | {help_text} | {' '.join(options)} |"
