"""The models that are compared, each built when its turn comes and nothing holds memory for the one before."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING

from sevenfold.generate.labels import LabelEngine

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from sevenfold.evaluate.section import EvaluateSection
    from sevenfold.generate.engine import Engine
    from sevenfold.load.model import Model
    from sevenfold.setup.environment import Environment
    from sevenfold.tune.tuned import Tuned


def openers(
    section: EvaluateSection, model: Model, environment: Environment, tuned: Tuned
) -> dict[str, Callable[[], Engine]]:
    """Who opens ``base`` and who opens ``tuned``, in the order in which they are asked."""
    return {
        "base": opener(lambda: base_engine(section, model, environment, tuned)),
        "tuned": opener(lambda: tuned_engine(model, environment, tuned, section.batch)),
    }


def opener(make: Callable[[], Engine]) -> Callable[[], Engine]:
    """A function that makes an engine when nothing holds memory for the one before."""

    def open_engine() -> Engine:
        free_memory()
        return make()

    return open_engine


def free_memory() -> None:
    """Give back what the network before held."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def base_engine(section: EvaluateSection, model: Model, environment: Environment, tuned: Tuned) -> Engine:
    """Who the tuned model is compared with: the base writing its answers to the same prompts, where it can write.

    A model that only reads has no answers before it is tuned; there it is the best answer without having read. Where
    nothing new is put beside the network, the base is asked as the tuned model is.
    """
    if tuned.chosen_objective().answers_untuned:
        return tuned.untuned(placed(model.network(environment.dtype), environment), model, section.batch)
    if model.card.kind == "encoder":
        unread = tuned.chosen_objective().unread()
        return LabelEngine(lambda prompts: [unread] * len(prompts), model.encoder(), model.card.context)
    return written_engine(model, environment, section.batch)


def tuned_engine(model: Model, environment: Environment, tuned: Tuned, batch: int) -> Engine:
    """What was learnt on a model, ready to answer behind its virtual tokens."""
    network = placed(tuned.network(model, environment.dtype), environment)
    return tuned.engine(network, model, model.encoder(tuned.lead(model)), batch)


def written_engine(model: Model, environment: Environment, batch: int) -> Engine:
    """A model that writes, as it is."""
    from sevenfold.generate.engines.transformers import TransformersEngine

    return TransformersEngine(placed(model.network(environment.dtype), environment), model.encoder(), batch)


def placed(network: PreTrainedModel, environment: Environment) -> PreTrainedModel:
    """The network on its device."""
    network.to(environment.device)  # type: ignore[arg-type]
    return network
