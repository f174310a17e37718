"""Only biases move; in a network without them, the norms."""

from __future__ import annotations

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from sevenfold.errors import ModelError
from sevenfold.record import Entry
from sevenfold.tune.methods.bitfit import Bitfit
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune


def test_biases_move_and_nothing_else() -> None:
    network = GPT2LMHeadModel(GPT2Config(vocab_size=64, n_positions=32, n_embd=16, n_layer=2, n_head=2))
    method = Bitfit()
    method.attach(network)
    moving = method.trainable(network)
    assert len(moving) == 2 * 6 + 1
    assert all(name.endswith(".bias") for name in moving)
    assert method.notes(network) == []


def test_a_network_without_biases_is_refused_with_alternatives(tiny_model) -> None:
    with pytest.raises(ModelError, match=r"LlamaForCausalLM has no biases\n  next: .*norms: true.*lora") as caught:
        Bitfit(norms=False).attach(tiny_model.network(torch.float32))
    assert "layers" in str(caught.value)


def test_norms_move_instead_and_the_run_says_so(dataset, tiny_model, environment, tmp_path) -> None:
    section = TuneSection.model_validate({"method": "bitfit", "steps": 1})
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir()
    tuned = tune(section, dataset, tiny_model, environment, entry)
    assert tuned.trainable_parameters == 5 * 64
    assert any("no biases: the weights of its 5 norms move instead" in note for note in entry.record.notes)
