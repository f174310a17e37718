"""Virtual tokens whose vectors come from a small trained network (Liu et al. 2021, arXiv 2103.10385)."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn


class Perceptron(nn.Module):
    """Trained embeddings through three linear layers with ReLU between them; layers as PEFT has them.

    Args:
        count: Virtual tokens.
        width: Of the embeddings and of the vectors.
        hidden: Between the layers.
    """

    def __init__(self, count: int, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(count, width)
        self.mlp_head = stacked([width, hidden, hidden, width])

    def forward(self) -> Tensor:
        """``P x width``."""
        vectors: Tensor = self.mlp_head(self.embedding.weight)
        return vectors


class Recurrent(nn.Module):
    """Trained embeddings through an LSTM that reads them both ways, and two linear layers; layers as PEFT has them.

    Args:
        count: Virtual tokens.
        width: Of the embeddings and of the vectors.
        hidden: Of the LSTM, each way.
        layers: Of the LSTM.
    """

    def __init__(self, count: int, width: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(count, width)
        self.lstm_head = nn.LSTM(width, hidden, layers, bidirectional=True, batch_first=True)
        self.mlp_head = stacked([2 * hidden, 2 * hidden, width])

    def forward(self) -> Tensor:
        """``P x width``."""
        vectors: Tensor = self.mlp_head(self.lstm_head(self.embedding.weight[None])[0][0])
        return vectors


def stacked(widths: list[int]) -> nn.Sequential:
    """Linear layers from width to width with ReLU between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
