"""Computed again or offloaded, activations give the losses and gradients of keeping them."""

from __future__ import annotations

import pytest
import torch

from sevenfold.chat.encoder import TokenSequence
from sevenfold.errors import RecipeError
from sevenfold.record import Entry
from sevenfold.setup.plan import Plan
from sevenfold.tune.engine import activations, documents
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.methods import METHODS
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build, tune

GIGABYTE = 10**9


def sequences(lengths=(9, 4, 31), vocabulary=90) -> list[TokenSequence]:
    generator = torch.Generator().manual_seed(1)
    return [
        TokenSequence(torch.randint(3, vocabulary, (n,), generator=generator).tolist(), [0.0] + [1.0] * (n - 1))
        for n in lengths
    ]


def network(layers=3, method="full", kind="LlamaConfig", precision=torch.float32, **more):
    import transformers

    torch.manual_seed(0)
    sizes = {"vocab_size": 96, "hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": layers}
    sizes |= {"intermediate_size": 48, "num_key_value_heads": 2, "max_position_embeddings": 64, **more}
    sizes |= {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    config = getattr(transformers, kind)(**sizes)
    made = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=documents.register())
    chosen = METHODS.find(method)()
    made.to(chosen.weights_dtype(precision))
    chosen.attach(made)
    return made.train()


def learnt(made, precision=torch.float32):
    """The loss and all gradients of one step; LoRA's second factors are moved from zero first."""
    torch.manual_seed(5)
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.1)
    loss = -Forward(made, precision)(pack(sequences())).sum()
    loss.backward()
    return loss.detach(), {name: weight.grad for name, weight in made.named_parameters() if weight.grad is not None}


def equal(one, other) -> None:
    assert torch.equal(one[0], other[0])
    assert one[1].keys() == other[1].keys()
    assert one[1]
    for name, gradient in one[1].items():
        assert torch.equal(gradient, other[1][name]), name


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("count", [1, 3])
def test_recomputed_blocks_give_the_same_bits(count, method, precision) -> None:
    kept, again = (network(method=method, precision=precision) for _ in range(2))
    activations.recompute(again, count)
    assert sum(block.gradient_checkpointing for block in activations.blocks(again)) == count
    equal(learnt(kept, precision), learnt(again, precision))


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("GPT2Config", {"n_inner": 48, "n_positions": 64}),
        ("MixtralConfig", {"num_local_experts": 2}),
        ("Gemma2Config", {"head_dim": 8, "sliding_window": 4}),
        ("Phi3Config", {}),
    ],
)
def test_other_networks_too_with_their_dropout(kind, more) -> None:
    kept, again = network(kind=kind, **more), network(kind=kind, **more)
    activations.recompute(again, 3)
    equal(learnt(kept), learnt(again))


def saved_bytes(made) -> int:
    """Bytes of the storages that the backward pass keeps, weights left out."""
    own = {weight.untyped_storage().data_ptr() for weight in made.parameters()}
    seen = {}

    def pack_(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = (storage.nbytes(), tensor)
        return tensor

    forward = Forward(made, torch.float32)
    with torch.autograd.graph.saved_tensors_hooks(pack_, lambda tensor: tensor):
        forward(pack(sequences()))
    return sum(size for size, _ in seen.values())


@pytest.mark.parametrize("method", ["full", "lora"])
def test_memory_grows_with_depth_by_the_blocks_inputs_only(method) -> None:
    def grown(count: int) -> float:
        """Bytes a layer from 4 to 32 layers."""
        found = []
        for layers in (4, 32):
            made = network(layers, method)
            activations.recompute(made, count)
            found.append(saved_bytes(made))
        return (found[1] - found[0]) / 28

    tokens = sum(len(sequence) for sequence in sequences())
    assert grown(32) == 4 * 32 * tokens, "float32, 32 wide"
    assert grown(0) > 10 * grown(32)


def test_the_lowest_blocks_that_keep_anything_are_the_ones() -> None:
    made = network(4, "lora")
    for block in activations.blocks(made)[:2]:
        block.requires_grad_(False)
    assert len(activations.recomputable(made)) == 2
    activations.recompute(made, 1)
    assert [block.gradient_checkpointing for block in activations.blocks(made)] == [False, False, True, False]


@pytest.mark.parametrize("method", ["full", "lora"])
def test_offloading_gives_the_same_and_leaves_weights_where_they_are(method, monkeypatch) -> None:
    kept, moved = network(method=method), network(method=method)
    own = {weight.untyped_storage().data_ptr() for weight in moved.parameters()}
    packed = []
    pack_ = activations.Offloading.pack

    def watched(self, tensor):
        result = pack_(self, tensor)
        packed.append((tensor.untyped_storage().data_ptr() in own, isinstance(result, tuple)))
        return result

    monkeypatch.setattr(activations.Offloading, "pack", watched)
    activations.offload(moved, least=0)
    equal(learnt(kept), learnt(moved))
    assert all(is_weight != was_moved for is_weight, was_moved in packed)
    assert {is_weight for is_weight, _ in packed} == {True, False}


def test_offloading_where_there_is_nothing_to_offload_from() -> None:
    with pytest.raises(RecipeError, match="computes in the main memory already"):
        activations.check("offload", network(), "cpu")


def test_a_network_without_such_blocks() -> None:
    import transformers

    config = transformers.CTRLConfig(vocab_size=96, n_embd=32, n_layer=2, n_head=4, dff=48)
    made = transformers.AutoModelForCausalLM.from_config(config)
    activations.check("auto", made, "cpu")
    assert "CTRLLMHeadModel has no blocks" in activations.apply("auto", made, Plan({}, GIGABYTE, 1.0, []))[0]
    with pytest.raises(RecipeError, match="CTRLLMHeadModel has no blocks that can be computed again"):
        activations.check("recompute", made, "cpu")


def test_the_stage_says_what_it_chose(dataset, tiny_model, environment, tmp_path) -> None:
    losses = {}
    for choice in ("keep", "recompute"):
        section = TuneSection.model_validate({"steps": 2, "engine": {"activations": choice}})
        entry = Entry(tmp_path / choice)
        entry.folder.mkdir()
        losses[choice] = tune(section, dataset, tiny_model, environment, entry).losses
        noted = [note for note in entry.record.notes if "computed again in the backward pass" in note]
        assert entry.record.metrics["plan"]["recomputed"] == (2 if choice == "recompute" else 0)
        assert bool(noted) == (choice == "recompute")
    assert losses["recompute"] == losses["keep"]


def test_as_few_blocks_as_fit_are_computed_again(dataset, tiny_model, environment, tmp_path, monkeypatch) -> None:
    def trained(name: str):
        entry = Entry(tmp_path / name)
        entry.folder.mkdir()
        section = TuneSection.model_validate({"steps": 3, "learning_rate": 1e-2})
        return tune(section, dataset, tiny_model, environment, entry), entry.record

    free, record = trained("free")
    needed = sum(record.metrics["plan"]["parts"].values())
    monkeypatch.setattr("sevenfold.setup.limits.available_memory", lambda device: needed - 1)
    narrow, record = trained("narrow")
    assert record.metrics["plan"]["recomputed"] == 1
    assert any(note.startswith("1 of 2 blocks are computed again in the backward pass") for note in record.notes)
    assert narrow.losses == free.losses


def test_blocks_of_a_network_as_it_trains(tiny_model, environment) -> None:
    forward = build(TuneSection(), tiny_model, environment)
    assert len(activations.blocks(forward.network)) == len(activations.recomputable(forward.network)) == 2
