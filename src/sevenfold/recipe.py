"""The recipe: seven sections in YAML; every default visible, every value's origin known, unknown keys refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, PrivateAttr, ValidationError

from sevenfold.deploy.exports import EXPORTS
from sevenfold.deploy.section import DeploySection
from sevenfold.errors import RecipeError
from sevenfold.evaluate.metrics import LikelihoodMetric, metric_name
from sevenfold.evaluate.section import EvaluateSection
from sevenfold.load.section import LoadSection
from sevenfold.monitor.section import MonitorSection
from sevenfold.prepare.section import PrepareSection
from sevenfold.schema import Section, Strict, explain
from sevenfold.setup.section import SetupSection
from sevenfold.tune.methods import METHODS
from sevenfold.tune.objectives import OBJECTIVES
from sevenfold.tune.section import TuneSection

KeyPath = tuple[str, ...]


class Recipe(Strict):
    """What to do, in seven sections; ``sevenfold run RECIPE`` does it."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="The run's name: its folder under runs/.")
    prepare: PrepareSection = Field(description="Rows to a checked dataset.")
    load: LoadSection = Field(default_factory=LoadSection, description="The base model.")
    setup: SetupSection = Field(default_factory=SetupSection, description="The machine.")
    tune: TuneSection = Field(default_factory=TuneSection, description="Training.")
    evaluate: EvaluateSection = Field(default_factory=EvaluateSection, description="Better or not.")
    deploy: DeploySection = Field(default_factory=DeploySection, description="Exports and the service.")
    monitor: MonitorSection = Field(default_factory=MonitorSection, description="Watching the service.")
    _given: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def from_file(cls, path: str | Path, overrides: Iterable[str] = ()) -> Recipe:
        """Read a YAML recipe.

        Args:
            path: The file.
            overrides: ``key=value`` settings, for example ``tune.epochs=3``; values are YAML.

        Raises:
            RecipeError: The file is not there, is not YAML, or says something that no recipe can say.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            beside = sorted(str(found) for found in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
            raise RecipeError(f"cannot read the recipe: {error}", value=str(path), alternatives=beside) from None
        return cls.from_text(text, str(path), overrides)

    @classmethod
    def from_text(cls, text: str, name: str = "recipe", overrides: Iterable[str] = ()) -> Recipe:
        """Read a recipe from YAML text; ``name`` stands for the file in messages."""
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            values = yaml.load(text, Loader=UniqueKeys)
        except yaml.YAMLError as error:
            raise RecipeError(f"the recipe is not YAML: {error}", where=name) from None
        if not isinstance(values, dict):
            raise RecipeError("the recipe is not a mapping", where=name, expected="name: ..., prepare: ..., ...")
        lines = {key: f"{name}:{line}" for key, line in line_numbers(node)}
        given = {".".join(key): place for key, place in lines.items()}
        for override in overrides:
            key = apply_override(values, override)
            given[key] = f"--set {override}"
        recipe = cls.build(values, lines, name)
        recipe._given.update(given)
        return recipe

    @classmethod
    def build(cls, values: dict[str, Any], lines: dict[KeyPath, str] | None = None, name: str = "recipe") -> Recipe:
        """A recipe from a plain mapping."""
        lines = lines or {}

        def locate(path: KeyPath) -> str:
            return next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), name)

        try:
            # A section that is there but empty (`monitor:`) means its defaults.
            recipe = cls.model_validate({key: {} if value is None else value for key, value in values.items()})
        except ValidationError as error:
            raise explain(error, cls, locate) from None
        recipe.check_exports(locate(("deploy", "export")))
        return recipe.measuring(locate(("evaluate", "metrics")))

    def check_exports(self, where: str) -> None:
        """Refuse, before anything is trained, to export nothing but forms that what is learnt does not have.

        Raises:
            RecipeError: The method learns no plain weights, and the adapter is not among the exports.
        """
        names = [EXPORTS.name_of(export) for export in self.deploy.export]
        if not self.tune.method.mergeable and "adapter" not in names:
            method = METHODS.name_of(self.tune.method)
            raise RecipeError(
                f"what the method {method!r} learns cannot be written as plain weights, so none of these forms exists: "
                f"{', '.join(names)}",
                where=where,
                expected="adapter in deploy.export",
                next_step=f"deploy.export: {['adapter', *names]}; what does not exist is left out, and the service "
                "answers with the adapter beside its base",
            )

    def measuring(self, where: str) -> Recipe:
        """The recipe with the objective's own metrics where it names none.

        Raises:
            RecipeError: A metric reads the likelihood of a text, and the tuned model answers with labels.
        """
        objective, evaluate = self.tune.objective, self.evaluate
        measures = objective.measures
        if measures and "metrics" not in evaluate.model_fields_set:
            values = {**evaluate.model_dump(mode="json"), "metrics": list(measures)}
            return self.model_copy(update={"evaluate": EvaluateSection.model_validate(values)})
        read = [metric for metric in evaluate.metrics if isinstance(metric, LikelihoodMetric)]
        if read and not objective.writes:
            name = OBJECTIVES.name_of(objective)
            own = [next(iter(one)) if isinstance(one, dict) else one for one in measures]
            raise RecipeError(
                f"the metric {metric_name(read[0])!r} reads the likelihood of a text, and a model that is tuned by "
                f"{name!r} writes none",
                where=where,
                expected=f"metrics of answers, such as {', '.join(own)}",
                next_step="leave it out of evaluate.metrics",
            )
        return self

    def section(self, stage: str) -> Section:
        """The section of a stage."""
        section: Section = getattr(self, stage)
        return section

    def origins(self, stage: str) -> dict[str, str]:
        """Where each field of a section has its value from: ``FILE:LINE``, ``--set``, or ``default``."""
        fields = type(self.section(stage)).model_fields
        return {field: self._given.get(f"{stage}.{field}", "default") for field in fields}

    def to_yaml(self) -> str:
        """The whole recipe with every default written out."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


class UniqueKeys(yaml.SafeLoader):
    """A loader that refuses a key written twice, which plain YAML takes in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping of a node."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.YAMLError(f"the key {key.value!r} stands twice, line {key.start_mark.line + 1}")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def line_numbers(node: yaml.Node | None, path: KeyPath = ()) -> Iterator[tuple[KeyPath, int]]:
    """Every key path of a YAML document with its line, counted from 1."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            yield below, key.start_mark.line + 1
            yield from line_numbers(value, below)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            below = (*path, str(index))
            yield below, value.start_mark.line + 1
            yield from line_numbers(value, below)


def apply_override(values: dict[str, Any], override: str) -> str:
    """Set ``a.b.c=value`` in nested mappings; gives the first two parts, the section and its field."""
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise RecipeError(f"--set {override!r} is not KEY=VALUE", next_step="for example --set tune.epochs=3")
    parts = key.strip().split(".")
    place = values
    for part in parts[:-1]:
        inner = place.get(part)
        # `method: lora` with --set tune.method.lora.rank=8 : a name alone is the name with no fields.
        place[part] = inner if isinstance(inner, dict) else ({inner: {}} if isinstance(inner, str) else {})
        place = place[part]
    try:
        place[parts[-1]] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RecipeError(f"--set {override!r}: the value is not YAML: {error}") from None
    return ".".join(parts[:2])
