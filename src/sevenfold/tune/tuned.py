"""A tuned model: weights or an adapter, and the training's record."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import Field

from sevenfold.errors import ModelError
from sevenfold.load.model import Model
from sevenfold.record import Result
from sevenfold.registry import Registry
from sevenfold.schema import Chosen, Component
from sevenfold.tune import kept

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import PreTrainedModel

    from sevenfold.chat.encoder import Encoder
    from sevenfold.generate.engine import Adapters, Engine
    from sevenfold.generate.labels import Whole
    from sevenfold.prepare.dataset import Row
    from sevenfold.tune.methods import Method
    from sevenfold.tune.objectives import Objective

C = TypeVar("C", bound=Component)
HISTORY_FILE = "history.jsonl"


class Tuned(Result):
    """What tuning gives.

    The weights lie in ``weights/`` in the ecosystem's own format: PEFT's for an adapter, Hugging Face's for a whole
    model. ``history.jsonl`` has one line a step.
    """

    method: dict[str, Any]
    """The method as a recipe writes it, ``{"lora": {"rank": 16, ...}}``; a user's own file is kept in this folder."""
    objective: dict[str, Any] = Field(default_factory=lambda: {"sft": {}})
    """The objective as a recipe writes it."""
    adapter: bool
    """Whether ``weights/`` is an adapter on the base model or a whole model."""
    steps: int
    best_step: int
    """The step whose weights were kept."""
    trainable_parameters: int
    tokens: int
    """Real tokens that training read, prompts included, padding excluded (there is none)."""
    tokens_per_second: float
    peak_memory_bytes: int
    losses: list[float]
    """The objective's mean loss of each step; nats per supervised token for most."""
    validation_losses: dict[int, float]
    """Step to mean validation loss; step 0 is the base model."""
    validation_figures: dict[int, dict[str, float]] = Field(default_factory=dict)
    """Step to what else the objective watches on validation rows."""
    settings: dict[str, float | int | str | None] = Field(default_factory=dict)
    """What decides the shape of a curve (:func:`sevenfold.tune.settings.settings_of`); empty where nothing trained."""

    @property
    def weights(self) -> Path:
        """The folder of the adapter or of the model."""
        return self.folder / "weights"

    def history(self) -> list[dict[str, Any]]:
        """One dictionary a step: step, loss, learning_rate, gradient_norm, tokens, seconds."""
        lines = (self.folder / HISTORY_FILE).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def chosen_method(self) -> Method:
        """The method's object."""
        from sevenfold.tune.methods import METHODS

        return self.chosen(METHODS, self.method)

    @property
    def method_name(self) -> str:
        """The method's name; of a user's file its name without the ending."""
        return Path(self.method["file"]).stem if "file" in self.method else next(iter(self.method))

    @property
    def method_fields(self) -> dict[str, Any]:
        """The method's settings as they were written."""
        others = {name: value for name, value in self.method.items() if name != "file"}
        return others if "file" in self.method else dict(next(iter(self.method.values())) or {})

    def chosen_objective(self) -> Objective:
        """The objective's object."""
        from sevenfold.tune.objectives import OBJECTIVES

        return self.chosen(OBJECTIVES, self.objective)

    def chosen(self, registry: Registry[C], written: dict[str, Any]) -> C:
        """A component of the training; a user's file is the one that this result keeps."""
        return cast("C", Chosen(registry).choose(kept.opened(written, self.folder)))

    def own(self, network: PreTrainedModel, model: Model) -> nn.Module | None:
        """What the objective has beside the network, as it was trained; evaluation mode.

        Args:
            network: The tuned network.
            model: The base model.
        """
        from sevenfold.tune import own

        made = self.chosen_objective().own(network, model)
        if made is not None:
            own.load(made, self.weights)
            made.to(network.device).eval()
        return made

    def network(self, model: Model, dtype: torch.dtype, attention: str | None = None) -> PreTrainedModel:
        """The tuned network: the base with the tuned weights in place, an adapter beside its base, evaluation mode.

        Args:
            model: The base model that was tuned.
            dtype: The type of the base's weights.
            attention: The name of an attention implementation known to transformers.
        """
        network = model.network(dtype, attention)
        self.chosen_method().load(network, self.weights)
        return network.eval()

    def tasks(self) -> tuple[str, ...]:
        """The tasks that have an adapter of their own, the one that answers first; empty: what was learnt is one."""
        routing = self.chosen_method().routing()
        if routing is None or len(routing.tasks) < 2:
            return ()
        answers = routing.tasks[routing.answers]
        return (answers, *(task for task in routing.tasks if task != answers))

    def task_of(self, row: Row) -> str | None:
        """The task of a row; None where tasks are not told apart.

        Raises:
            DataError: The row names no task, or one that has no adapter.
        """
        routing = self.chosen_method().routing()
        return routing.tasks[routing.task(row)] if routing else None

    def adapters(self, network: PreTrainedModel) -> Adapters | None:
        """The adapters of a network that :meth:`network` gave, to choose from; None where there are not several."""
        from sevenfold.generate.engine import Adapters

        tasks = self.tasks()
        return Adapters(tasks, tasks[0], partial(self.chosen_method().select, network)) if tasks else None

    def engine(self, network: PreTrainedModel, model: Model, encoder: Encoder, batch: int = 8) -> Engine:
        """Who answers: the network as a writer, or with what the objective has beside it.

        Args:
            network: What :meth:`network` gave, on its device.
            model: The base model.
            encoder: The model's encoder, with the virtual tokens that the method puts first.
            batch: Prompts that are answered at once.
        """
        objective, adapters = self.chosen_objective(), self.adapters(network)
        if objective.writes:
            from sevenfold.generate.engines.transformers import TransformersEngine

            return TransformersEngine(network, encoder, batch, adapters)
        from sevenfold.tune.reader import reader

        return reader(objective, network, self.own(network, model), model, encoder, batch, adapters)

    def untuned(self, network: PreTrainedModel, model: Model, batch: int = 8) -> Engine:
        """The base asked as the tuned model is, where that means something before anything is learnt.

        Args:
            network: The base's, on its device.
            model: The base model.
            batch: Prompts that are answered at once.
        """
        from sevenfold.tune.reader import untuned

        return untuned(self.chosen_objective(), network, model, batch)

    def whole(self, network: PreTrainedModel, model: Model) -> Whole | None:
        """How a merged network is one model of transformers with what the objective has; None: it is the model."""
        objective = self.chosen_objective()
        if objective.writes:
            return None
        own = self.own(network, model)
        return objective.whole(own) if own is not None else None

    def apart(self, model: Model) -> str | None:
        """Why the tuned model is no one model of transformers; None where it is."""
        return self.unmergeable() or self.chosen_objective().apart(model)

    def unmergeable(self) -> str | None:
        """Why there is no form as plain weights; None where there is one."""
        if self.chosen_method().mergeable:
            return None
        return f"what the method {self.method_name!r} learns cannot be written as plain weights"

    def merged(self, model: Model, dtype: torch.dtype) -> PreTrainedModel:
        """The tuned network as plain weights: what is exported.

        Raises:
            ModelError: The method gives something that is no weight of the base's architecture.
        """
        if reason := self.unmergeable():
            raise ModelError(reason, next_step="export the adapter; or a method that merges, such as lora")
        network = self.network(model, dtype)
        self.chosen_method().merge(network)
        return network.eval()

    def lead(self, model: Model) -> list[int]:
        """The ids of virtual tokens that stand before every conversation; most methods have none."""
        return self.chosen_method().lead(model.card.vocabulary)
