"""A model that was really tuned, for what compares it with its base."""

from __future__ import annotations

import pytest

from sevenfold.tune.tuned import Tuned
from tests.evaluate.rows import TASK as ROWS


@pytest.fixture(scope="session")
def tuned(tiny_model, tmp_path_factory):
    """The tiny model after some steps of plain full fine-tuning on the task's replies."""
    import torch

    folder = tmp_path_factory.mktemp("4-tune")
    encoder = tiny_model.encoder()
    torch.manual_seed(0)
    network = tiny_model.network(torch.float32).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    losses = []
    for step in range(40):
        row = ROWS[step % len(ROWS)]
        prompt = encoder.encode(f"<|im_start|>user\n{row[0][1]}<|im_end|>\n<|im_start|>assistant\n")
        reply = encoder.encode("the answer<|im_end|>")
        ids = torch.tensor([[*prompt, *reply]])
        labels = torch.tensor([[*[-100] * len(prompt), *reply]])
        loss = network(ids, labels=labels).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
    network.save_pretrained(folder / "weights")
    return Tuned(
        method={"full": {}},
        adapter=False,
        steps=40,
        best_step=40,
        trainable_parameters=sum(p.numel() for p in network.parameters()),
        tokens=1000,
        tokens_per_second=100.0,
        peak_memory_bytes=1,
        losses=losses,
        validation_losses={0: losses[0], 40: losses[-1]},
    ).save(folder)
