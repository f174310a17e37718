"""Prefix tuning: trained keys and values before those of every conversation (Li and Liang 2021, arXiv 2101.00190)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.tune.leading import Leading

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.prefix import Narrow


class Prefix(Leading):
    r"""Every attention layer sees trained keys and values first: ``attend(q, [K; k], [V; v])``, K and V ``P x O``.

    A prefix reaches every layer at once, where a prompt's effect has to go through all of them: it learns more, with
    ``2 x layers x P x O`` parameters for keys and values of width O. Every conversation is P tokens longer. A learning
    rate of 0.001 to 0.03.

    Virtual tokens stand at the first P positions, and what a layer's projections of keys and of values give there is
    replaced; the network's own code normalises and rotates the keys. Keys and values begin as those of words drawn from
    the vocabulary, which the paper found better than noise. ``reparametrise`` computes all of them from P vectors while
    it trains, :math:`[K_l; V_l] = W_l \tanh(W e + b) + b_l`, which the paper does for stability.

    PEFT's file holds the keys as a cache does, normalised and rotated; ``virtual.safetensors`` beside it holds what
    moved.
    """

    reparametrise: bool = Field(False, description="Keys and values come from a small trained network.")
    width: int = Field(512, ge=1, description="Width inside of that network.")

    def put_in(self, network: PreTrainedModel, fresh: bool) -> None:
        """Put rows in the place of what the projections of all blocks give for virtual tokens.

        Raises:
            ModelError: The network has no such projections, or cannot read virtual tokens.
        """
        from sevenfold.tune.engine import prefix, virtual

        pairs = prefix.projections(network)
        known: list[Any] = prefix.words(network, self.tokens) if fresh else [(None, None)] * len(pairs)
        weight = virtual.embeddings_of(network).weight
        lead = virtual.put_in(network, None)
        with weight.device:
            narrow = prefix.Narrow(self.tokens, weight.shape[1], self.width) if self.reparametrise else None
            lead.shared = narrow
            for pair, rows in zip(pairs, known, strict=True):
                for layer, rows_PO in zip(pair, rows, strict=True):
                    prefix.Rows(lead, self.vectors(layer, rows_PO, narrow)).hang(layer)

    def vectors(self, layer: torch.nn.Module, rows_PO: torch.Tensor | None, narrow: Narrow | None) -> torch.nn.Module:
        """What gives the rows of a projection."""
        import torch

        from sevenfold.tune.engine import bases, prefix, virtual

        outputs = bases.sizes(layer)[1]
        if narrow is not None:
            return prefix.Wide(narrow, self.width, outputs)
        return virtual.Vectors(torch.empty(self.tokens, outputs) if rows_PO is None else rows_PO)

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write what PEFT puts into a cache, and what moved."""
        from sevenfold.tune.engine import prefix

        found = prefix.cached(network, self.lead(network.config.get_text_config().vocab_size))
        heads, width = found.shape[2:]
        config = {
            **self.peft_config(network, base, "PREFIX_TUNING"),
            "num_attention_heads": heads,
            "token_dim": heads * width,
            "encoder_hidden_size": heads * width,
            "prefix_projection": False,
        }
        self.write(folder, found, config)
        self.write_trained(network, folder)
