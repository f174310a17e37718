"""Adapters with something in them, on the tiny model."""

from __future__ import annotations

from pathlib import Path

import torch

from sevenfold.tune.methods.lora import Lora


def adapter(model, folder: Path, seed: int, start: int | None = None, **fields) -> Path:
    """A LoRA adapter in ``folder`` whose B is random; ``start`` is the seed of A, which adapters may share."""
    torch.manual_seed(seed if start is None else start)
    network = model.network(torch.float32)
    method = Lora(**{"rank": 4, "alpha": 6, **fields})
    method.attach(network)
    torch.manual_seed(seed)
    for name, weight in method.trainable(network).items():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05)
    folder.mkdir(parents=True)
    method.save(network, folder, "tiny")
    return folder
