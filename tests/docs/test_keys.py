"""No document names a key that the recipe does not have, or a recipe that cannot be read."""

from __future__ import annotations

import re
from typing import Annotated, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel

from sevenfold.compare.section import CompareSection
from sevenfold.compare.variants import variants
from sevenfold.recipe import Recipe
from sevenfold.schema import Chosen
from tests.docs import blocks

STAGES = ("prepare", "load", "setup", "tune", "evaluate", "deploy", "monitor")
KEY = re.compile(rf"`(?:--set )?((?:{'|'.join(STAGES)})\.[a-z_.]+)")
PATHS = [pytest.param(path, id=str(path.relative_to(blocks.ROOT))) for path in blocks.DOCUMENTS]


def problem(key: str) -> str | None:
    """What is wrong with a dotted key of a recipe; None when it exists."""
    model: type[BaseModel] = Recipe
    parts = key.rstrip(".").split(".")
    for number, part in enumerate(parts):
        if part not in model.model_fields:
            return f"{key}: there is no {part}"
        field = model.model_fields[part]
        chosen = next((rule for rule in field.metadata if isinstance(rule, Chosen)), None)
        if chosen:
            return component_problem(chosen, parts[number + 1 :])
        inner = field.annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return None if number == len(parts) - 1 else f"{key}: nothing lies below {part}"
        model = inner
    return None


def component_problem(chosen: Chosen, rest: list[str]) -> str | None:
    """What is wrong with the name and field of a component."""
    if rest and rest[0] not in chosen.registry.names():
        return f"there is no {chosen.registry.kind} {rest[0]}"
    if len(rest) > 1 and rest[1] not in chosen.registry.find(rest[0]).model_fields:
        return f"{rest[0]} has no {rest[1]}"
    return None


@pytest.mark.parametrize("path", PATHS)
def test_keys_exist(path):
    text = path.read_text(encoding="utf-8")
    overrides = re.findall(r"--set '?([a-z_.]+)=", blocks.FENCE.sub("", text))
    wrong = [found for key in (*KEY.findall(text), *overrides) if key != "name" and (found := problem(key))]
    assert not wrong


def test_a_wrong_key_is_noticed():
    assert problem("tune.epoch")
    assert problem("tune.method.lora.ranks")
    assert problem("tune.epochs.more")
    assert problem("deploy.serve.port") is None
    assert problem("tune.method.lora.rank") is None


@pytest.mark.parametrize("path", PATHS)
def test_recipes_can_be_read(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = blocks.read(path)
    # A comparison names a recipe that another page writes.
    for block in (block for document in (*blocks.DOCUMENTS, path) for block in blocks.read(document)):
        if block.is_file:
            (tmp_path / block.title).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.title).write_text(block.text, encoding="utf-8")
    for block in (block for block in found if block.language == "yaml"):
        values = yaml.safe_load(block.text) or {}
        if "vary" in values:
            variants(CompareSection.from_file(tmp_path / block.title))
            continue
        least = {"name": "any", "prepare": {"source": "rows.jsonl", **values.pop("prepare", {})}}
        Recipe.build({**least, **values}, name=block.place)


def test_generated_pages_have_every_field():
    from docs import hooks

    for stage in STAGES:
        page = hooks.fill((blocks.ROOT / "docs" / "stages" / f"{stage}.md").read_text(encoding="utf-8"))
        assert "<!--" not in page
        section = Recipe.model_fields[stage].annotation
        for name, field in section.model_fields.items():
            assert f"| `{name}` |" in page
            assert field.description.split(";")[0].replace("|", "\\|") in page
            for registry in registries(field):
                for component in registry.names():
                    assert f"#### `{component}`" in page, (stage, component)
                    for own in registry.find(component).model_fields:
                        assert f"| `{own}` |" in page, (component, own)


def registries(field):
    """The registries that a field chooses from."""
    if isinstance(field, type):
        return
    for rule in getattr(field, "metadata", ()) or ():
        if isinstance(rule, Chosen):
            yield rule.registry
    yield from in_annotation(getattr(field, "annotation", field))


def in_annotation(annotation):
    """The registries in a type, those of mappings inside of it included."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for inner in annotation.model_fields.values():
            yield from registries(inner)
    if get_origin(annotation) is Annotated:
        yield from (rule.registry for rule in annotation.__metadata__ if isinstance(rule, Chosen))
    for part in get_args(annotation):
        yield from in_annotation(part)
