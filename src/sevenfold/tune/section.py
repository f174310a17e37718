"""The recipe's section ``tune``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from sevenfold.errors import RecipeError
from sevenfold.schema import Chosen, Section, build
from sevenfold.tune.beside import TERMS, Term
from sevenfold.tune.engine.section import EngineSection
from sevenfold.tune.methods import METHODS, Method
from sevenfold.tune.objectives import OBJECTIVES, Objective
from sevenfold.tune.optimizers import OPTIMIZERS, Optimizer
from sevenfold.tune.schedules import SCHEDULES, Schedule

if TYPE_CHECKING:
    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset, Row
    from sevenfold.record import Entry
    from sevenfold.setup.environment import Environment


class TuneSection(Section):
    """Training: what is asked, which parameters change, for how long and how carefully."""

    objective: Annotated[Objective, Chosen(OBJECTIVES)] = Field(
        default_factory=lambda: build(OBJECTIVES.find("sft"), {}, "sft"), description="What is asked of the outputs."
    )
    beside: list[Annotated[Term, Chosen(TERMS)]] = Field(
        default=[], description="What is asked beside the objective: against forgetting, for fairness."
    )
    method: Annotated[Method, Chosen(METHODS)] = Field(
        default_factory=lambda: build(METHODS.find("lora"), {}, "lora"),
        description="Which parameters change, and how.",
    )
    optimizer: Annotated[Optimizer, Chosen(OPTIMIZERS)] = Field(
        default_factory=lambda: build(OPTIMIZERS.find("adamw"), {}, "adamw"),
        description="How a gradient becomes a step.",
    )
    schedule: Annotated[Schedule, Chosen(SCHEDULES)] = Field(
        default_factory=lambda: build(SCHEDULES.find("linear"), {}, "linear"),
        description="The course of the learning rate over the steps.",
    )
    learning_rate: float = Field(2e-4, gt=0, description="The highest learning rate of the schedule.")
    batch: int = Field(8, ge=1, description="Rows per optimiser step, over all devices and accumulation.")
    balanced: str | None = Field(
        None,
        description="The column whose values, or reply: the labels that, every step has in equal numbers, as far as "
        "its size allows; rare rows come more often. Default: every row once an epoch.",
    )
    tokens_per_pass: int = Field(
        1024, ge=1, description="Tokens that go through the network at once; a larger batch is accumulated."
    )
    engine: EngineSection = Field(
        default_factory=EngineSection, description="How the work is done: speed against memory, never what is learnt."
    )
    max_length: int = Field(512, ge=2, description="Tokens of the longest sequence that is learnt.")
    overlong: Literal["drop", "cut", "refuse"] = Field(
        "drop", description="Rows over max_length: leave out, cut at the end, or stop. All are counted and listed."
    )
    epochs: float | None = Field(None, gt=0, description="Times through the rows; 1 when steps is not given either.")
    steps: int | None = Field(None, ge=1, description="Optimiser steps, instead of epochs.")
    clip: float | None = Field(
        1.0, gt=0, description="The largest norm of the gradient; a larger one is scaled down. null: none is."
    )
    validate_every: int | None = Field(None, ge=1, description="Steps between validations; default: once an epoch.")
    validation_rows: int = Field(256, ge=1, description="Rows of a validation, at most.")
    dropout: float | None = Field(
        None, ge=0, lt=1, description="What the network's dropout leaves out; not given: as its configuration says."
    )
    patience: int | None = Field(
        None, ge=1, description="Stop after this many validations without a lower loss; default: never."
    )
    keep: Literal["best", "last"] = Field("best", description="The weights to keep: lowest validation loss, or last.")
    checkpoint_every: int = Field(25, ge=1, description="Steps between checkpoints.")
    checkpoints: int = Field(2, ge=1, description="Checkpoints that are kept; older ones are removed.")
    spike: float = Field(
        4.0,
        gt=1,
        description="Stop when a loss is this many times the median of the last 20, and 1 above it; where losses are "
        "about zero or below, this many times as far above it as they wander.",
    )

    @model_validator(mode="after")
    def one_length_of_training(self) -> TuneSection:
        """Refuse a recipe that gives both epochs and steps."""
        if self.epochs is not None and self.steps is not None:
            raise ValueError("epochs and steps are both given; keep one")
        return self

    @model_validator(mode="after")
    def no_clipping_in_the_backward_pass(self) -> TuneSection:
        """Refuse to clip by a norm that is not known yet."""
        if self.engine.step_in_backward and self.clip is not None:
            raise ValueError(
                f"engine.step_in_backward moves each weight before the norm of all gradients is known, so "
                f"clip = {self.clip} cannot be kept; set tune.clip: null, or tune.engine.step_in_backward: false"
            )
        return self

    @model_validator(mode="after")
    def its_parts_go_together(self) -> TuneSection:
        """Refuse what has no meaning together with the method, the objective or the optimiser."""
        try:
            self.method.check(self)
            self.objective.check(self)
            self.optimizer.check(self)
            for term in self.beside:
                term.check(self)
        except RecipeError as error:
            raise PydanticCustomError("component", "{problem}", {"problem": error.problem, "error": error}) from error
        return self

    def settled(self, dataset: Dataset) -> TuneSection:
        """The section with what the objective, and what stands beside it, takes from the training rows.

        Raises:
            DataError: The rows have not what the objective needs.
        """
        objective, beside = self.objective.settled(dataset), [term.settled(dataset) for term in self.beside]
        return self.model_copy(update={"objective": objective, "beside": beside})

    def searched(self, model: Model, dataset: Dataset, environment: Environment, entry: Entry) -> TuneSection:
        """The section with what the objective chooses by what the base says to training rows."""
        objective = self.objective.searched(model, dataset, environment, entry)
        return self if objective is self.objective else self.model_copy(update={"objective": objective})

    def outside(self) -> dict[str, str]:
        """Fingerprints of the files that the method, and what stands beside the objective, read."""
        found = self.method.outside()
        for term in self.beside:
            found |= term.outside()
        return found

    @property
    def columns(self) -> tuple[str, ...]:
        """Figures that :meth:`sequences` gives each token beside its weight, by name."""
        return (*self.objective.columns, *(term.column for term in self.beside if term.column))

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """What the objective makes of a row, each sequence with the number of the row's task and the terms' columns.

        Raises:
            DataError: The method tells rows apart by task, and this one does not say its own.
        """
        whole = self.objective.sequences(row, encoder)
        found = [part for one in whole for part in self.objective.parts(one, self.max_length, encoder)]
        routing = self.method.routing()
        if routing:
            task = routing.task(row)
            for sequence in found:
                sequence.task = task
        for term in self.beside:
            if term.column:
                figure = term.mark(row)
                for sequence in found:
                    sequence.columns[term.column] = [figure] * len(sequence)
        return found

    def total_steps(self, rows: int) -> int:
        """Optimiser steps for a number of training rows; an epoch's last batch may be smaller."""
        if self.steps is not None:
            return self.steps
        return max(1, round((self.epochs or 1.0) * self.steps_per_epoch(rows)))

    def steps_per_epoch(self, rows: int) -> int:
        """Optimiser steps in one pass through the rows."""
        return -(-rows // self.batch)
