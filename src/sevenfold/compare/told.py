"""The comparison as one object: what ``comparison.json`` holds and the page shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.compare import between, figures, seeds, verdict
from sevenfold.compare.section import CompareSection
from sevenfold.compare.variants import judge_of, metric_names

if TYPE_CHECKING:
    from sevenfold.compare.state import State
    from sevenfold.recipe import Recipe

Told = dict[str, Any]


def comparison(section: CompareSection, states: Sequence[State], folder: Path) -> Told:
    """Everything that is known of a comparison so far.

    Args:
        section: The comparison's file.
        states: Its variants.
        folder: Where it lies.
    """
    variants = [variant(state, folder) for state in states]
    done = [one for one in variants if one["state"] == "done"]
    bases = base_rows(done)
    made: Told = {
        "name": section.name,
        "folder": str(folder),
        "recipe": str(section.recipe_path),
        "vary": {key: [value.value for value in values] for key, values in section.vary.items()},
        "judge": section.judge,
        "cost": section.cost,
        "bases": bases,
        "same_loss": same_loss(done),
        "variants": variants,
        "pairs": [],
    }
    against: dict[str, Told] = {}
    if done:
        recipe = recipe_of(next(state for state in states if state.state == "done"))
        judge = judge_of(section, [state.variant for state in states])
        rows = Rows(judge, recipe, {one["name"]: figures.rows(folder / one["name"]) for one in done})
        against = rows.against(verdict.best_of(done, judge)["name"])
        made |= {"judge": judge, "pairs": rows.pairs()}
    waiting = sum(one["state"] == "waiting" for one in variants)
    made["verdict"] = asdict(verdict.judge(done, against, made["judge"], section.cost, waiting))
    made["seeds"] = seeds.over_seeds(done, made["judge"]) if done else []
    made["verdict"]["reasons"] += [seeds.sentence(one, made["judge"]) for one in made["seeds"]]
    return made


def same_loss(done: Sequence[Told]) -> bool:
    """Whether the validation losses of variants are of one objective with the same settings."""
    return len({json.dumps(one["objective"], sort_keys=True) for one in done}) < 2


def variant(state: State, folder: Path) -> Told:
    """One variant as the comparison keeps it."""
    choice, chosen = state.choice, (state.choice.chosen if state.choice else None) or {}
    return {
        "name": state.variant.name,
        "state": state.state,
        "values": state.variant.values,
        "command": state.variant.command(chosen, folder),
        "chosen": chosen,
        "edges": choice.edges if choice else {},
        "search": [one.as_json() for one in choice.tried] if choice else [],
        "plan": state.plan,
        "failure": state.failure.as_json() if state.failure else None,
        **(state.figures or {}),
    }


def recipe_of(state: State) -> Recipe:
    """The recipe of a variant that is done."""
    assert state.choice is not None
    assert state.choice.chosen is not None
    return state.variant.recipe(state.choice.chosen)


def base_rows(done: Sequence[Told]) -> list[Told]:
    """Each different base once; its name goes into the variants that were tuned from it."""
    found: dict[str, Told] = {}
    for one in done:
        base = one["base"]
        same = json.dumps([base["model"], base["metrics"]], sort_keys=True)
        kept = found.setdefault(same, {"name": f"base of {one['name']}", **base})
        one["base"] = kept["name"]
    if len(found) == 1:
        only = next(iter(found.values()))
        for one in done:
            one["base"] = "base"
        return [{**only, "name": "base"}]
    return list(found.values())


@dataclass(frozen=True)
class Rows:
    """The evaluated rows of variants that are done, and how two of them are compared.

    Args:
        judge: The metric's name.
        recipe: Says the seed, the resamples and the confidence.
        rows: Each variant's rows.
    """

    judge: str
    recipe: Recipe
    rows: dict[str, list[Told]]

    def compare(self, first: str, second: str) -> Told | None:
        """What the second has that the first has not; None where they cannot be compared row by row."""
        evaluate = self.recipe.evaluate
        metric = evaluate.metrics[metric_names(self.recipe).index(self.judge)]
        sides = self.rows[first], self.rows[second]
        if between.difference(self.judge, *sides) is not None:
            return None
        confidence = between.together(evaluate.confidence, len(self.rows) - 1)
        seed, resamples = self.recipe.setup.seed, evaluate.resamples
        compared = between.against(self.judge, metric, *sides, seed, resamples, confidence)
        return {"first": first, "second": second, **compared.model_dump()}

    def pairs(self) -> list[Told]:
        """Every two variants that can be compared."""
        return [found for two in combinations(self.rows, 2) if (found := self.compare(*two)) is not None]

    def against(self, best: str) -> dict[str, Told]:
        """Each other variant against the best one, where they can be compared."""
        others = [name for name in self.rows if name != best]
        return {name: found for name in others if (found := self.compare(best, name)) is not None}
