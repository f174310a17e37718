"""The variants of a comparison: every combination of the axes' values, each with its name, recipe and candidates."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sevenfold.compare.section import CompareSection, Value, written
from sevenfold.errors import RecipeError
from sevenfold.evaluate.metrics import LikelihoodMetric, metric_name
from sevenfold.recipe import Recipe
from sevenfold.tune.objectives import OBJECTIVES

RESERVED = ("base", "search")
"""Names that stand for something else in a comparison."""


@dataclass(frozen=True)
class Variant:
    """One combination of the axes' values.

    Args:
        name: Its run's name.
        source: The recipe's file.
        values: Each axis's key and value.
        overrides: Everything that differs from the recipe, as ``--set`` takes it.
        candidates: What the search tries; empty where there is nothing to choose.
        steps: Of a candidate's training.
    """

    name: str
    source: Path
    values: dict[str, Any]
    overrides: tuple[str, ...]
    candidates: tuple[dict[str, Any], ...] = ()
    steps: int = 0

    def words(self, chosen: dict[str, Any], name: str | None = None) -> list[str]:
        """The recipe and the ``--set`` options of its run, as they stand on a command line.

        Args:
            chosen: The candidate that was taken.
            name: Another name of the run.
        """
        settings = [*self.overrides, *(written(key, value) for key, value in chosen.items())]
        named = ["--set", f"name={name or self.name}"]
        return [str(self.source), *named, *itertools.chain.from_iterable(("--set", text) for text in settings)]

    def recipe(self, chosen: dict[str, Any], name: str | None = None) -> Recipe:
        """The recipe of its run; arguments as :meth:`words`."""
        return Recipe.from_file(self.source, self.words(chosen, name)[2::2])

    def trial(self, candidate: dict[str, Any]) -> Trial:
        """The short training of a candidate."""
        label = "_".join(plain_name(key, value) for key, value in candidate.items())
        # A number of steps takes the place of epochs.
        settings = {**candidate, "tune.epochs": None, "tune.steps": self.steps}
        return Trial(label, candidate, self.words(settings, label), self.recipe(settings, label))

    def command(self, chosen: dict[str, Any], runs: Path) -> str:
        """The command that makes its run."""
        return shlex.join(["sevenfold", "evaluate", *self.words(chosen), "--runs", str(runs)])


@dataclass(frozen=True)
class Trial:
    """A candidate's short training: its run's name, what it sets, its command line and its recipe."""

    name: str
    candidate: dict[str, Any]
    words: list[str] = field(repr=False)
    recipe: Recipe = field(repr=False)


def variants(comparison: CompareSection) -> list[Variant]:
    """Every combination of the axes' values, in the file's order, the last axis fastest.

    Raises:
        RecipeError: A variant's recipe cannot be read, two variants have one name, or the metric that judges is not
            measured.
    """
    # What is wrong with the common part is said of it alone.
    Recipe.from_file(comparison.recipe_path, comparison.overrides)
    check_overrides(comparison)
    found = [one(comparison, combination) for combination in itertools.product(*comparison.vary.values())]
    for first, second in itertools.combinations(found, 2):
        if first.name == second.name:
            raise RecipeError(
                f"two variants would be called {first.name!r}",
                where=comparison.place("vary"),
                next_step="give their values names: {value: ..., name: ...}",
            )
    for variant in found:
        if variant.name in RESERVED:
            raise RecipeError(
                f"a variant cannot be called {variant.name!r}",
                where=comparison.place("vary"),
                next_step="give its value another name: {value: ..., name: ...}",
            )
        check_recipe(comparison, variant)
    judge_of(comparison, found)
    return found


def judge_of(comparison: CompareSection, found: Sequence[Variant]) -> str:
    """The metric that decides: the file's, else the first that all variants measure.

    Where objectives differ it is the first of answers, if there is one: some of them are trained on a likelihood, and
    others are not.

    Raises:
        RecipeError: There is none that all of them measure.
    """
    if comparison.judge is not None:
        return comparison.judge
    recipes = [variant.recipe(variant.candidates[0] if variant.candidates else {}) for variant in found]
    measured = [{metric_name(metric): metric for metric in recipe.evaluate.metrics} for recipe in recipes]
    common = [name for name in measured[0] if all(name in other for other in measured)]
    if not common:
        raise RecipeError(
            "no metric is measured for all variants, so nothing can decide between them",
            where=comparison.place("vary"),
            expected=f"the same metrics; {found[0].name} has {', '.join(measured[0])}",
            next_step="name metrics that all of them have in the recipe, evaluate.metrics, and one of them as judge",
        )
    answers = [name for name in common if not isinstance(measured[0][name], LikelihoodMetric)]
    differing = len({OBJECTIVES.name_of(recipe.tune.objective) for recipe in recipes}) > 1
    return (answers or common)[0] if differing else common[0]


def one(comparison: CompareSection, combination: tuple[Value, ...]) -> Variant:
    """The variant of some values, one of each axis."""
    pairs = list(zip(comparison.vary, combination, strict=True))
    values = {key: value.value for key, value in pairs}
    settings = {**values, **{key: item for value in combination for key, item in value.set.items()}}
    over = {**comparison.search.over, **{key: items for value in combination for key, items in value.over.items()}}
    return Variant(
        name="_".join(value.name or plain_name(key, value.value) for key, value in pairs),
        source=comparison.recipe_path,
        values=values,
        overrides=(*comparison.overrides, *(written(key, value) for key, value in settings.items())),
        candidates=tuple(product(over)) if over else (),
        steps=comparison.search.steps,
    )


def product(over: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Every combination of some keys' candidates."""
    for items in itertools.product(*over.values()):
        yield dict(zip(over, items, strict=True))


def plain_name(key: str, value: Any) -> str:
    """A value as a part of a folder's name: ``lora``, ``layers-first-2-last-2``, ``learning_rate-0.001``."""
    words = list(words_of(value))
    if not isinstance(value, str | dict):
        words.insert(0, key.rpartition(".")[2])
    text = re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(words)).strip("-.")
    return text or key.rpartition(".")[2]


def words_of(value: Any) -> Iterator[str]:
    """The names and plain values in a value, in order."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from words_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from words_of(inner)
    elif value is not None:
        yield f"{value:g}" if isinstance(value, float) else str(value)


def check_overrides(comparison: CompareSection) -> None:
    """Refuse a ``--set`` of what the comparison itself sets for each variant."""
    taken = {*comparison.vary, *comparison.search.over}
    for override in comparison._overrides:
        key = override.partition("=")[0].strip()
        if any(key == other or key.startswith(f"{other}.") or other.startswith(f"{key}.") for other in taken):
            raise RecipeError(
                f"--set {override}: {key} is what this comparison varies or searches",
                where=str(comparison.path),
                next_step="change its values in the file",
            )


def check_recipe(comparison: CompareSection, variant: Variant) -> None:
    """Read a variant's recipe with each of its candidates, so that a mistake shows before anything runs.

    Raises:
        RecipeError: The recipe cannot be read; the axis of the file is named.
    """
    for chosen in variant.candidates or ({},):
        try:
            recipe = variant.recipe(chosen)
        except RecipeError as error:
            error.problem = f"the variant {variant.name}: {error.problem}"
            axis = next((key for key in variant.values if key in error.problem), "")
            raise error.at(comparison.place("vary", axis)) from None
    metrics = metric_names(recipe)
    if comparison.judge is not None and comparison.judge not in metrics:
        raise RecipeError(
            f"judge: {comparison.judge!r} is not measured",
            where=comparison.place("judge"),
            value=comparison.judge,
            alternatives=metrics,
            next_step="add it to evaluate.metrics",
        )
    asked = next((key for key in chosen if key.startswith("tune.objective")), None)
    if asked and len(variant.candidates) > 1:
        raise RecipeError(
            f"the search takes the lowest validation loss, and {asked} changes what the loss is",
            where=comparison.place("search", "over", asked),
            next_step="make it an axis, under vary: variants are compared by the metric that judges",
        )
    if variant.candidates and not recipe.prepare.split.validation:
        raise RecipeError(
            "the search needs validation rows, and prepare.split.validation is 0",
            where=comparison.place("search"),
            next_step="hold some out, or leave the search away",
        )


def metric_names(recipe: Recipe) -> list[str]:
    """The names of the metrics that a recipe measures."""
    return [metric_name(metric) for metric in recipe.evaluate.metrics]
