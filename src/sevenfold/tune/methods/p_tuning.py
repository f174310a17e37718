"""P-tuning: virtual tokens whose vectors a small trained network gives (Liu et al. 2021, arXiv 2103.10385)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sevenfold.tune.leading import Leading

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


class PTuning(Leading):
    r"""``network([g(v_1) ... g(v_P), e(x_1) ... e(x_T)])`` with trained :math:`v_{PD}` and a trained network g.

    g ties the vectors to one another and moves them faster than a gradient on each alone would: it is prompt tuning
    that is easier to train, for hundreds of times its parameters while it trains. What is used afterwards is P vectors:
    they are what PEFT's file holds; ``virtual.safetensors`` beside it keeps g, for training that goes on. Every
    conversation is P tokens longer. A learning rate of 0.001 to 0.01.
    """

    encoder: Literal["mlp", "lstm"] = Field(
        "mlp", description="The network: three linear layers; or an LSTM that reads both ways, and two linear layers."
    )
    width: int | None = Field(None, ge=1, description="Width inside of the network; null: that of the hidden states.")
    layers: int = Field(2, ge=1, description="Layers of the LSTM.")

    def put_in(self, network: PreTrainedModel, fresh: bool) -> None:
        """Let the input embeddings answer virtual tokens with what the small network gives."""
        from sevenfold.tune.engine import virtual

        weight = virtual.embeddings_of(network).weight
        with weight.device:
            virtual.put_in(network, self.made(weight.shape[1]))

    def made(self, width: int) -> torch.nn.Module:
        """The small network, drawn at random."""
        from sevenfold.tune.engine.prompt_encoder import Perceptron, Recurrent

        hidden = self.width or width
        if self.encoder == "mlp":
            return Perceptron(self.tokens, width, hidden)
        return Recurrent(self.tokens, width, hidden, self.layers)

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write the vectors as PEFT reads them, and what they come from."""
        import torch

        with torch.no_grad():
            vectors = self.vectors(network)
        hidden = self.width or vectors.shape[1]
        config = {
            **self.peft_config(network, base, "P_TUNING"),
            "encoder_reparameterization_type": self.encoder.upper(),
            "encoder_hidden_size": hidden,
            "encoder_num_layers": self.layers,
        }
        self.write(folder, vectors, config)
        self.write_trained(network, folder)

    def vectors(self, network: PreTrainedModel) -> torch.Tensor:
        """What the small network gives, ``P x D``."""
        from sevenfold.tune.engine import beside

        (lead,) = beside.all_of(network).values()
        found: torch.Tensor = lead.vectors()  # type: ignore[operator]
        return found
