"""The comparison's file: a recipe, the axes that vary, and what is searched for each variant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator

from sevenfold.errors import RecipeError
from sevenfold.recipe import KeyPath, UniqueKeys, apply_override, line_numbers
from sevenfold.schema import Strict, explain

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


class Value(Strict):
    """One value of an axis. The value alone stands for `{value: ...}`."""

    value: Any = Field(description="What the axis's key is set to.")
    name: str | None = Field(
        None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="Its part of the variant's name; default: the value."
    )
    set: dict[str, Any] = Field(default_factory=dict, description="Other keys of the recipe that go with this value.")
    over: dict[str, list[Any]] = Field(
        default_factory=dict, description="Candidates of the search for this value, instead of search.over's."
    )

    @model_validator(mode="before")
    @classmethod
    def short(cls, given: Any) -> Any:
        """A value that is written without its fields."""
        whole = isinstance(given, Value) or (isinstance(given, dict) and "value" in given)
        return given if whole else {"value": number(given)}

    @field_validator("over")
    @classmethod
    def numbers(cls, over: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """Candidates with their numbers as numbers."""
        return {key: [number(item) for item in items] for key, items in over.items()}


class Search(Strict):
    """What is chosen for each variant by itself: each one is trained shortly, the lowest validation loss wins."""

    over: dict[str, list[Any]] = Field(
        default_factory=dict, description="Keys of the recipe to their candidates, for example tune.learning_rate."
    )
    steps: int = Field(20, ge=1, description="Optimiser steps of each candidate's training.")

    @field_validator("over")
    @classmethod
    def something(cls, over: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """Refuse a key without candidates."""
        empty = [key for key, items in over.items() if not items]
        if empty:
            raise ValueError(f"{empty[0]} has no candidates")
        return {key: [number(item) for item in items] for key, items in over.items()}


class CompareSection(Strict):
    """What is compared."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="The comparison's name: its folder under runs/."
    )
    recipe: str = Field(description="The recipe that all variants share: a path beside this file.")
    set: dict[str, Any] = Field(default_factory=dict, description="Keys of the recipe that change for all variants.")
    vary: dict[str, list[Value]] = Field(
        min_length=1, description="The axes: keys of the recipe to their values. Several axes make their product."
    )
    search: Search = Field(default_factory=Search, description="What is chosen for each variant by itself.")
    judge: str | None = Field(
        None, description="The metric that decides who is best; default: the first of evaluate.metrics."
    )
    cost: Literal["time", "memory", "size"] = Field(
        "time", description="What counts among variants that are not worse: time of training, its peak memory, or disk."
    )
    _path: Path = PrivateAttr(default=Path("comparison.yaml"))
    _lines: dict[KeyPath, str] = PrivateAttr(default_factory=dict)
    _overrides: list[str] = PrivateAttr(default_factory=list)

    @model_validator(mode="after")
    def one_place_for_each_key(self) -> CompareSection:
        """Refuse an axis without values, and a key that two places would set."""
        for key, values in self.vary.items():
            if not values:
                raise ValueError(f"the axis {key} has no values")
        for value in (value for values in self.vary.values() for value in values):
            searched = {*value.over, *self.search.over}
            twice = ({*self.vary} & {*value.set, *searched, *self.set}) | ({*value.set, *self.set} & searched)
            if twice:
                raise ValueError(f"{min(twice)} is set in two places: an axis, set, or the search")
        return self

    @classmethod
    def from_file(cls, path: str | Path, overrides: Iterable[str] = ()) -> CompareSection:
        """Read a comparison.

        Args:
            path: The YAML file.
            overrides: ``key=value`` settings; a key of this file (``search.steps=5``), or one of the recipe
                (``tune.steps=8``) for all variants.

        Raises:
            RecipeError: The file is not there, is not YAML, or says something that no comparison can say.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            values = yaml.load(text, Loader=UniqueKeys)
        except (OSError, UnicodeDecodeError) as error:
            beside = sorted(str(found) for found in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
            raise RecipeError(f"cannot read the comparison: {error}", value=str(path), alternatives=beside) from None
        except yaml.YAMLError as error:
            raise RecipeError(f"the comparison is not YAML: {error}", where=str(path)) from None
        if not isinstance(values, dict):
            raise RecipeError("the comparison is not a mapping", where=str(path), expected="name, recipe, vary")
        own = [text for text in overrides if text.partition("=")[0].partition(".")[0] in cls.model_fields]
        for override in own:
            apply_override(values, override)
        lines = {key: f"{path}:{line}" for key, line in line_numbers(node)}
        made = cls.build(values, lines, str(path))
        made._path, made._lines = path, lines
        made._overrides.extend(text for text in overrides if text not in own)
        return made

    @classmethod
    def build(
        cls, values: dict[str, Any], lines: dict[KeyPath, str] | None = None, name: str = "comparison"
    ) -> CompareSection:
        """A comparison from a plain mapping.

        Raises:
            RecipeError: A key is unknown, missing or wrong.
        """
        lines = lines or {}

        def locate(path: KeyPath) -> str:
            return next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), name)

        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise explain(error, cls, locate) from None

    @property
    def path(self) -> Path:
        """The file that this was read from."""
        return self._path

    @property
    def recipe_path(self) -> Path:
        """The recipe's file."""
        return self.path.parent / self.recipe

    def folder(self, runs: Path) -> Path:
        """The comparison's folder.

        Args:
            runs: The folder that holds all runs.

        Raises:
            RecipeError: It is a run's.
        """
        folder = runs / self.name
        if (folder / "record.json").exists():
            raise RecipeError(
                f"{str(folder)!r} is a run", where=self.place("name"), next_step="give the comparison another name"
            )
        return folder

    @property
    def overrides(self) -> list[str]:
        """What all variants change of the recipe, as ``--set`` takes it; the command line's come last."""
        return [*(written(key, value) for key, value in self.set.items()), *self._overrides]

    def place(self, *path: str) -> str:
        """Where a key of this file stands, ``FILE:LINE``."""
        return next((self._lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self._lines), "")


def number(value: Any) -> Any:
    """A number that YAML 1.1 reads as text (``1e-4`` has no point) as the number that was meant."""
    return float(value) if isinstance(value, str) and NUMBER.fullmatch(value) else value


def written(key: str, value: Any) -> str:
    """``key=value`` as ``--set`` takes it."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=1_000_000)
    return f"{key}={text.removesuffix('...' + chr(10)).strip()}"
