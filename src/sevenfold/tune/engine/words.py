"""The tokens that labels are said with."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Words(nn.Module):
    """Ids that go where the network goes; nothing is learnt of them.

    Args:
        ids: The token of each label.
    """

    ids_K: Tensor

    def __init__(self, ids: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("ids_K", torch.tensor(list(ids)), persistent=False)
