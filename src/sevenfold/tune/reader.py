"""Who answers where the model does not write: labels, or vectors."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sevenfold.generate.embeddings import EmbeddingEngine
from sevenfold.generate.labels import LabelEngine
from sevenfold.tune.engine.forward import Forward

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel

    from sevenfold.chat.encoder import Encoder
    from sevenfold.generate.engine import Adapters, Engine
    from sevenfold.load.model import Model
    from sevenfold.tune.objectives import Objective


def reader(
    objective: Objective,
    network: PreTrainedModel,
    own: nn.Module | None,
    model: Model,
    encoder: Encoder,
    batch: int = 8,
    adapters: Adapters | None = None,
) -> Engine:
    """The engine in front of a network with what the objective has beside it.

    Args:
        objective: Says the answers, or the vectors.
        network: On its device.
        own: What the objective has beside it, there too.
        model: The base model.
        encoder: The model's encoder, with the virtual tokens that the method puts first.
        batch: Prompts that are answered at once.
        adapters: The adapters in the network, where there are several.
    """
    forward = Forward(network, network.dtype)
    forward.own = own
    if objective.embeds:
        return EmbeddingEngine(
            partial(objective.vectors, forward, encoder), encoder, model.card.context, batch, adapters
        )
    read, judge = partial(objective.answers, forward, encoder), partial(objective.judge, forward)
    return LabelEngine(read, encoder, model.card.context, batch, adapters, judge)


def untuned(objective: Objective, network: PreTrainedModel, model: Model, batch: int = 8) -> Engine:
    """The base asked as the tuned model is, where that means something before anything is learnt."""
    own = objective.own(network, model)
    if own is not None:
        own.to(network.device).eval()
    return reader(objective, network, own, model, model.encoder(), batch)
