"""AdapterSoup: which adapters are near a new domain (Chronopoulou et al. 2023, arXiv 2302.07027).

The paper averages the weights of the adapters whose training texts are nearest to the new domain's, by the cosine of
mean sentence embeddings of 100 texts each. The embeddings here are the base model's own: the mean over a text's tokens
of the last hidden states. Those of a language model all point much the same way, so the cosines lie near 1; it is their
order that counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from sevenfold.chat.encoder import Encoder

TEXTS = 100
"""Texts of a domain that are read, as in the paper."""
LONGEST = 256
"""Tokens of a text that are read."""


def similarities(
    network: PreTrainedModel, encoder: Encoder, domain: Sequence[str], parents: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """How near each parent's texts are to a domain's: cosines of the mean vectors.

    Args:
        network: The base model.
        encoder: Its tokenizer.
        domain: Texts of the new domain; the first hundred are read.
        parents: Texts that each adapter was trained on, by its name.
    """
    import torch

    wanted_D = embedding(network, encoder, domain)
    return {
        name: float(torch.cosine_similarity(embedding(network, encoder, texts), wanted_D, dim=0))
        for name, texts in parents.items()
    }


def embedding(network: PreTrainedModel, encoder: Encoder, texts: Sequence[str]) -> Tensor:
    """The mean over texts of each one's mean state, ``D``, float32."""
    import torch

    from sevenfold.tune.engine.probe import trunk

    body: Any = trunk(network)
    found = []
    with torch.inference_mode():
        for text in texts[:TEXTS]:
            ids = encoder.encode(text)[:LONGEST] or [encoder.end_id]
            states = body(input_ids=torch.tensor([ids], device=network.device), use_cache=False).last_hidden_state
            found.append(states[0].float().mean(0))
    return torch.stack(found).mean(0)


def chosen(similarity: Mapping[str, float], most: int) -> list[str]:
    """The nearest adapters, the nearest first."""
    return sorted(similarity, key=lambda name: -similarity[name])[:most]
