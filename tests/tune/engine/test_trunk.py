"""Training and validation with the frozen trunk's states from the disk equal those that compute them."""

from __future__ import annotations

import shutil

import pytest
import torch
import transformers

from sevenfold.chat.encoder import TokenSequence
from sevenfold.record import Entry
from sevenfold.tune.engine import documents, trunk
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune
from sevenfold.tune.trainer import Trainer

LAST = {"method": {"layers": {"last": 1}}, "learning_rate": 1e-2, "batch": 4, "epochs": 3, "checkpoint_every": 2}


SIZES = {"vocab_size": 96, "pad_token_id": 0, "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4}
MLP = {"intermediate_size": 48, "max_position_embeddings": 64, "num_key_value_heads": 2}
ARCHITECTURES = {
    "LlamaConfig": MLP,
    "Qwen3Config": {**MLP, "head_dim": 8},
    "Gemma2Config": {**MLP, "head_dim": 8, "sliding_window": 4, "query_pre_attn_scalar": 8},
    "Gemma3TextConfig": {**MLP, "head_dim": 8, "sliding_window": 4},
    "GPT2Config": {"n_positions": 64, "embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0},
    "MixtralConfig": {**MLP, "num_local_experts": 2},
    "Gemma4TextConfig": {**MLP, "head_dim": 8, "sliding_window": 4},
}


class Stopped(Exception):
    """In the place of a kill."""


def train(folder, dataset, model, environment, **fields):
    entry = Entry(folder)
    entry.folder.mkdir(exist_ok=True)
    section = TuneSection.model_validate({**LAST, **fields})
    return tune(section, dataset, model, environment, entry), entry


@pytest.fixture(params=["float32", "bfloat16"])
def precise(request, environment):
    return environment.model_copy(update={"precision": request.param})


def test_losses_are_those_of_the_plain_network(dataset, tiny_model, precise, tmp_path) -> None:
    plain, said = train(tmp_path / "plain", dataset, tiny_model, precise, engine={"trunk_cache": "never"})
    cached, entry = train(tmp_path / "cached", dataset, tiny_model, precise)
    assert not any("frozen" in note for note in said.record.notes)
    assert any("lowest 1 of 2 blocks are frozen" in note for note in entry.record.notes)
    tolerance = 1e-6 if precise.precision == "float32" else 2e-2
    assert cached.losses == pytest.approx(plain.losses, rel=tolerance)
    assert cached.validation_losses == pytest.approx(plain.validation_losses, rel=tolerance)
    assert not (tmp_path / "cached" / "trunk").exists()


def test_the_trunk_is_skipped_from_the_second_epoch_on(dataset, tiny_model, environment, tmp_path, monkeypatch) -> None:
    kept, steps = [], []
    apply, step = trunk.apply, Trainer.step

    def watched(*arguments):
        kept.append(apply(*arguments))
        kept[0].trunk[0].register_forward_hook(lambda *called: steps.append(len(lengths)))
        return kept[0]

    lengths = []
    monkeypatch.setattr(trunk, "apply", watched)
    monkeypatch.setattr(Trainer, "step", lambda self, rows: (lengths.append(rows), step(self, rows))[1])
    train(tmp_path / "4-tune", dataset, tiny_model, environment, tokens_per_pass=100)
    assert max(steps) == 5
    assert set(steps) == {0, 1, 2, 3, 4, 5}
    assert kept[0].skipped > 10


@pytest.mark.parametrize("lost", ["nothing", "half a line", "data"])
def test_a_run_killed_anywhere_ends_with_the_same_bits(
    lost, dataset, tiny_model, environment, tmp_path, monkeypatch
) -> None:
    whole, _ = train(tmp_path / "whole", dataset, tiny_model, environment)
    log = Trainer.log

    def stop(self, step, bar):
        if step.step == 5:
            raise Stopped
        log(self, step, bar)

    folder = tmp_path / "killed"
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "log", stop)
        with pytest.raises(Stopped):
            train(folder, dataset, tiny_model, environment)
    assert (folder / "trunk" / "index").stat().st_size
    if lost == "half a line":
        with (folder / "trunk" / "index").open("ab") as file:
            file.write(b"torn")
    if lost == "data":
        # States that never reached the disk: zeros lie in their place.
        with (folder / "trunk" / "states").open("r+b") as file:
            file.write(bytes(1000))
    resumed, _ = train(folder, dataset, tiny_model, environment)
    compare = pytest.approx if lost == "data" else lambda losses, rel: losses
    assert resumed.losses == compare(whole.losses, rel=1e-5)
    assert resumed.validation_losses == compare(whole.validation_losses, rel=1e-5)


@pytest.mark.parametrize(
    "fields",
    [
        {"method": "full"},
        {"method": "lora", "learning_rate": 1e-3},
        {"method": {"layers": {"first": 1, "last": 0}}},
        {"method": {"layers": {"names": ["*embed_tokens*"]}}},
        {"method": {"layers": {"last": 2}}},
    ],
)
def test_it_stays_off_where_the_trunk_moves(fields, dataset, tiny_model, environment, tmp_path) -> None:
    _, entry = train(tmp_path / "4-tune", dataset, tiny_model, environment, **fields)
    assert not any("blocks are frozen" in note for note in entry.record.notes)


def test_states_of_another_network_are_not_used(dataset, tiny_model, environment, tmp_path) -> None:
    whole, _ = train(tmp_path / "whole", dataset, tiny_model, environment)
    folder = tmp_path / "4-tune"
    (folder / "trunk").mkdir(parents=True)
    (folder / "trunk" / "owner.json").write_text('{"depth": 1, "dtype": "torch.float32", "probe": "another"}')
    (folder / "trunk" / "index").write_bytes(bytes(400))
    again, _ = train(folder, dataset, tiny_model, environment)
    assert again.losses == whole.losses


def test_a_disk_without_room_is_told(dataset, tiny_model, environment, tmp_path, monkeypatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=100_000))
    _, entry = train(tmp_path / "4-tune", dataset, tiny_model, environment)
    assert any("more than half of the 0.1 MB that the disk has left" in note for note in entry.record.notes)


def test_one_epoch_keeps_validation_only(dataset, tiny_model, environment, tmp_path, monkeypatch) -> None:
    kept = []
    apply = trunk.apply
    monkeypatch.setattr(trunk, "apply", lambda *arguments: kept.append(apply(*arguments)))
    train(tmp_path / "4-tune", dataset, tiny_model, environment, epochs=1)
    assert len(kept[0].states) == 6
    assert kept[0].skipped >= 1


@pytest.mark.parametrize("activations", ["keep", "recompute"])
def test_it_goes_with_blocks_that_are_computed_again(activations, dataset, tiny_model, environment, tmp_path) -> None:
    plain, _ = train(tmp_path / "plain", dataset, tiny_model, environment, engine={"trunk_cache": "never"})
    cached, entry = train(tmp_path / activations, dataset, tiny_model, environment, engine={"activations": activations})
    assert any("lowest 1 of 2 blocks are frozen" in note for note in entry.record.notes)
    assert cached.losses == pytest.approx(plain.losses, rel=1e-6)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_architectures_run_with_it(name, tmp_path) -> None:
    """Blocks of several kinds, and masks that change from layer to layer."""
    torch.manual_seed(0)
    config = getattr(transformers, name)(**SIZES, **ARCHITECTURES[name])
    network = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=documents.register())
    for part, weight in network.named_parameters():
        weight.requires_grad_(".3." in part)
    network.train()
    forward = Forward(network, torch.float32)
    batch = pack([TokenSequence(list(range(start, start + 10)), [1.0] * 10) for start in (5, 40)])
    network.eval()
    with torch.no_grad():
        expected = forward(batch)
    cache, note = trunk.install(forward, tmp_path, 20, every=True)
    network.eval()
    assert cache, note
    for _ in range(2):
        torch.testing.assert_close(forward(batch), expected, rtol=0, atol=0)
    assert cache.skipped == 1


def test_a_network_that_pads_is_refused_with_the_reason(tmp_path) -> None:
    network = transformers.BloomForCausalLM(transformers.BloomConfig(**SIZES)).train()
    for part, weight in network.named_parameters():
        weight.requires_grad_(".3." in part)
    cache, note = trunk.install(Forward(network, torch.float32), tmp_path, 20, every=True)
    assert cache is None
    assert "documents do not lie side by side in BloomForCausalLM" in note


def test_a_random_trunk_is_refused_with_the_reason(tmp_path) -> None:
    network = transformers.GPT2LMHeadModel(transformers.GPT2Config(**SIZES, embd_pdrop=0.1, n_positions=64)).train()
    for part, weight in network.named_parameters():
        weight.requires_grad_(".3." in part)
    state = torch.get_rng_state()
    cache, note = trunk.install(Forward(network, torch.float32), tmp_path, 20, every=True)
    assert cache is None
    assert "what they give hangs on chance (dropout)" in note
    assert torch.equal(torch.get_rng_state(), state)
