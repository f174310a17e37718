"""Virtual tokens: ids behind the vocabulary, which stand in sequences like any others.

They are packed, counted, given positions and kept in a cache of keys and values as all tokens are; only what they mean
is trained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sevenfold.errors import ModelError
from sevenfold.tune.engine.beside import Beside

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle


class Lead(Beside):
    """On the input embeddings: notes where virtual tokens stand, and answers them with trained vectors.

    Equals a table of embeddings with more rows. ``index`` is ``B x T``, of the call that came last: the number of the
    virtual token that stands at a place, below zero for a token of the vocabulary.

    Args:
        first: The id of the first virtual token: the size of the vocabulary.
        vectors: Gives the vectors, ``P x D``; None: what stands there does not matter.

    ``shared`` is what other layers of the network compute with, where virtual tokens mean something there too.
    """

    index: Tensor

    def __init__(self, first: int, vectors: nn.Module | None) -> None:
        super().__init__()
        self.first, self.vectors = first, vectors
        self.shared: nn.Module | None = None

    def hooks(self, layer: nn.Module) -> list[RemovableHandle]:
        """Before and behind the embeddings."""
        return [layer.register_forward_pre_hook(self.note), layer.register_forward_hook(self.fill)]

    def note(self, embeddings: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """Note the virtual tokens; the embeddings get an id that they have."""
        ids_BT, *others = inputs
        self.index = ids_BT - self.first
        return torch.where(self.index < 0, ids_BT, 0), *others

    def fill(self, embeddings: nn.Module, inputs: object, output: Tensor) -> Tensor | None:
        """The trained vectors in their places."""
        return None if self.vectors is None else self.laid(self.vectors(), output)

    def laid(self, rows_PD: Tensor, output: Tensor) -> Tensor:
        """``output`` with a row for each virtual token in its place; gradients of rows add up in their own type."""
        index = self.index.reshape(output.shape[:-1])
        rows = F.embedding(index.clamp_min(0), rows_PD).to(output.dtype)
        return torch.where((index >= 0)[..., None], rows, output)


class Vectors(nn.Module):
    """Trained vectors as they are, float32.

    Args:
        rows_PD: What they are at the start.
    """

    def __init__(self, rows_PD: Tensor) -> None:
        super().__init__()
        self.rows = nn.Parameter(rows_PD.float())

    def forward(self) -> Tensor:
        """``P x D``."""
        return self.rows


def embeddings_of(network: Any) -> Any:
    """The layer that turns the ids of a prompt into vectors."""
    reader = network.get_encoder() if network.config.is_encoder_decoder else network
    return reader.get_input_embeddings()


def put_in(network: Any, vectors: nn.Module | None) -> Lead:
    """Let the network read virtual tokens.

    Raises:
        ModelError: Other layers of the network look ids up too; they have nothing for a virtual token.
    """
    embeddings = embeddings_of(network)
    others = [
        name
        for name, part in network.named_modules()
        if isinstance(part, nn.Embedding)
        and part.num_embeddings == embeddings.num_embeddings
        and part.weight is not embeddings.weight
    ]
    if others:
        raise ModelError(
            f"{type(network).__name__} cannot read virtual tokens: more layers than its input embeddings look ids up "
            f"({', '.join(others[:3])})",
            next_step="tune.method: lora",
        )
    lead = Lead(network.config.get_text_config().vocab_size, vectors)
    lead.hang(embeddings)
    return lead


def noted(network: nn.Module) -> Callable[[], AbstractContextManager[None]]:
    """Gives contexts in which the places are those of the moment when they were made."""
    leads = [part for part in network.modules() if isinstance(part, Lead)]
    return lambda: held([(lead, lead.index) for lead in leads])


@contextmanager
def held(found: list[tuple[Lead, Tensor]]) -> Iterator[None]:
    """Some places for a while, then those of before."""
    now = [(lead, lead.index) for lead, _ in found]
    for lead, index in found:
        lead.index = index
    try:
        yield
    finally:
        for lead, index in now:
            lead.index = index
