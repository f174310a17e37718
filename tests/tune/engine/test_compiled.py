"""Compiled blocks give the losses of plain ones, from one compilation."""

from __future__ import annotations

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from sevenfold.chat.encoder import TokenSequence
from sevenfold.errors import MachineError
from sevenfold.record import Entry
from sevenfold.tune.engine import activations, compiled, documents
from sevenfold.tune.engine.blocks import stack
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.lora import share_inputs
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.methods.lora import Lora
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune

SIZES = {"vocab_size": 96, "hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4}


def built(layers: int, dtype: torch.dtype = torch.float32) -> Forward:
    torch.manual_seed(0)
    config = LlamaConfig(**SIZES, num_hidden_layers=layers, num_key_value_heads=2)
    network = LlamaForCausalLM._from_config(config, attn_implementation=documents.register()).to(dtype)
    Lora(rank=4).attach(network)
    forward = Forward(network.train(), dtype)
    share_inputs(network, lambda: forward(batch(3, 4)))
    return forward


def batch(*lengths: int):
    generator = torch.Generator().manual_seed(sum(lengths))
    ids = [torch.randint(3, 96, (length,), generator=generator).tolist() for length in lengths]
    return pack([TokenSequence(part, [1.0] * len(part)) for part in ids])


def gradients(forward: Forward, *lengths: int) -> tuple[torch.Tensor, torch.Tensor]:
    moving = [weight for weight in forward.network.parameters() if weight.requires_grad]
    logprobs = forward(batch(*lengths))
    found = torch.autograd.grad(logprobs.sum(), moving)
    return logprobs.detach(), torch.cat([gradient.flatten() for gradient in found])


@pytest.fixture
def counters():
    from torch._dynamo.utils import counters

    torch._dynamo.reset()
    counters.clear()
    yield counters
    torch._dynamo.reset()


def graphs(counters, layers: int, recomputed: int) -> int:
    """Graphs compiled for passes of many lengths and numbers of documents."""
    torch._dynamo.reset()
    counters.clear()
    forward = built(layers)
    plain = {lengths: gradients(forward, *lengths) for lengths in ((9, 12), (30,), (5, 6, 7, 8), (17, 40))}
    activations.recompute(forward.network, recomputed)
    names = list(forward.network.state_dict())
    compiled.put_in(forward, list(stack(forward.network)[1]), backend="aot_eager")
    assert list(forward.network.state_dict()) == names
    tried = counters["stats"]["unique_graphs"]
    for lengths, expected in plain.items():
        for found, value in zip(gradients(forward, *lengths), expected, strict=True):
            torch.testing.assert_close(found, value, rtol=1e-4, atol=1e-4)
    assert counters["stats"]["unique_graphs"] == tried
    return tried


@pytest.mark.parametrize("recomputed", [0, 2])
def test_one_compilation_serves_all_blocks_and_all_lengths(recomputed, counters) -> None:
    few, many = graphs(counters, 4, recomputed), graphs(counters, 12, recomputed)
    assert many == few > 0


@pytest.mark.slow
@pytest.mark.parametrize("kept", ["keep", "recompute"])
def test_a_training_with_compiled_blocks(kept, counters, dataset, tiny_model, environment, tmp_path) -> None:
    losses = {}
    for choice in ("never", "always"):
        engine = {"compile": choice, "activations": kept}
        section = TuneSection.model_validate({"steps": 6, "batch": 4, "learning_rate": 1e-2, "engine": engine})
        entry = Entry(tmp_path / choice)
        entry.folder.mkdir()
        tuned = tune(section, dataset, tiny_model, environment, entry)
        losses[choice] = tuned.losses
        assert any("2 blocks were compiled in" in note for note in entry.record.notes) == (choice == "always")
    assert counters["stats"]["unique_graphs"] > 0
    assert losses["always"] == pytest.approx(losses["never"], rel=1e-4)
    assert tuned.merged(tiny_model, torch.float32)


def test_a_machine_without_a_compiler_goes_on_without(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    entry, forward = Entry(tmp_path), built(2)
    assert not compiled.apply("always", forward, 0.0, entry)
    assert entry.record.notes == ["blocks are not compiled: there is no C++ compiler 'no-such-compiler'"]


def test_blocks_that_cannot_be_compiled_are_plain_again(counters) -> None:
    def fail(graph, inputs):
        raise ValueError("no such instruction")

    forward = built(2)
    expected = gradients(forward, 9, 12)
    with pytest.raises(MachineError, match="no such instruction"):
        compiled.put_in(forward, list(stack(forward.network)[1]), backend=fail)
    for found, value in zip(gradients(forward, 9, 12), expected, strict=True):
        assert torch.equal(found, value)


def test_auto_compiles_long_trainings_and_keeps_its_decision(tmp_path, monkeypatch) -> None:
    calls = []
    monkeypatch.setattr(compiled, "put_in", lambda *arguments: calls.append(arguments))
    for name, planned in (("short", 60.0), ("long", 7200.0)):
        entry, forward = Entry(tmp_path / name), built(2)
        entry.folder.mkdir()
        for again in (planned, 7260.0 - planned):
            assert compiled.apply("auto", forward, again, entry) == (name == "long")
    assert len(calls) == 2
    assert not compiled.apply("never", built(2), 7200.0, Entry(tmp_path / "long"))
