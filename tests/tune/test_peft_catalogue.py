"""PEFT's catalogue: every type that is open goes through the contract, and the table is PEFT's whole list."""

from __future__ import annotations

import pytest
import torch

from sevenfold.errors import ModelError
from sevenfold.prove import proofs
from sevenfold.prove.proof import Case
from sevenfold.record import Entry
from sevenfold.schema import build
from sevenfold.tune.methods import METHODS
from sevenfold.tune.peft_catalogue import DIFFERS, OPEN, REFUSED
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune

IDS = torch.tensor([[1, 5, 9, 2, 30, 41, 7]])
FIELDS = {
    "C3A": {"block_size": 32},
    "ROAD": {"group_size": 16},
    "TRAINABLE_TOKENS": {"token_indices": [1, 2, *range(30, 50)]},
    "VBLORA": {"vector_length": 16, "num_vectors": 64},
    "WAVEFT": {"n_frequency": 200},
}
"""What PEFT's defaults do not fit to in layers of 64 x 32, or leave open."""
COUNTS = {
    "BEFT": 64,
    "BOFT": 1216,
    "C3A": 384,
    "DEFT": 3584,
    "DELORA": 3588,
    "FOURIERFT": 4000,
    "GLORA": 7168,
    "GRALORA": 14336,
    "HIRA": 14336,
    "HRA": 2048,
    "IA3": 384,
    "LN_TUNING": 320,
    "LOHA": 7168,
    "LOKR": 448,
    "LORA": 3584,
    "MISS": 12288,
    "OFT": 3968,
    "OSF": 59776,
    "PEANUT": 12288,
    "PVERA": 2240,
    "RANDLORA": 512,
    "ROAD": 192,
    "SUPERTUNING": 120,
    "TINYLORA": 256,
    "TRAINABLE_TOKENS": 1408,
    "UNILORA": 256,
    "VBLORA": 8192,
    "VERA": 1216,
    "WAVEFT": 800,
}
"""What moves in the tiny model, which says which layers PEFT's defaults adapt there."""
CANNOT_MERGE = {"BEFT": "no bias"}
"""Types that cannot be written into a network of the Llama type, with PEFT's reason."""


@torch.no_grad()
def logits(network):
    return network.eval()(IDS).logits


def train(kind, tmp_path, dataset, model, environment, **fields):
    method = {"peft": {"type": kind, "config": FIELDS.get(kind, {})}}
    values = {"method": method, "learning_rate": 1e-2, "steps": 4, "batch": 4, **fields}
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir(exist_ok=True)
    return tune(TuneSection.model_validate(values), dataset, model, environment, entry)


def test_the_table_is_pefts_whole_list() -> None:
    from peft import PEFT_TYPE_TO_CONFIG_MAPPING

    assert sorted([*OPEN, *REFUSED]) == sorted(kind.value for kind in PEFT_TYPE_TO_CONFIG_MAPPING)
    assert all(REFUSED.values())
    assert COUNTS.keys() == set(OPEN)


@pytest.mark.parametrize("kind", OPEN)
def test_it_starts_as_the_base_learns_and_is_loaded_merged_and_taken_off(
    kind, tmp_path, dataset, tiny_model, environment
) -> None:
    from peft import PeftModel

    method = build(METHODS.find("peft"), {"type": kind, "config": FIELDS.get(kind, {})}, "peft")
    base = tiny_model.network(torch.float32)
    before, weights = logits(base), dict(base.named_parameters())
    attached = tiny_model.network(torch.float32)
    method.attach(attached)
    assert torch.allclose(logits(attached), before, atol=1e-5) == (kind not in DIFFERS)
    assert any("step 0" in note for note in method.notes(attached)) == (kind in DIFFERS)

    tuned = train(kind, tmp_path, dataset, tiny_model, environment)
    network = tuned.network(tiny_model, torch.float32)
    moving = method.trainable(network)
    assert sum(weight.numel() for weight in moving.values()) == tuned.trainable_parameters == COUNTS[kind]
    for name, weight in network.named_parameters():
        own = weights.get(name.replace(".base_layer", ""))
        assert own is None or name in moving or torch.equal(weight, own)
    learnt = logits(network)
    assert (learnt - before).abs().max() > 1e-3
    theirs = PeftModel.from_pretrained(tiny_model.network(torch.float32), tuned.weights)
    torch.testing.assert_close(logits(theirs), learnt, rtol=1e-4, atol=1e-4)

    if kind in CANNOT_MERGE:
        with pytest.raises(ModelError, match=CANNOT_MERGE[kind]):
            tuned.merged(tiny_model, torch.float32)
    else:
        merged = tuned.merged(tiny_model, torch.float32)
        torch.testing.assert_close(logits(merged), learnt, rtol=1e-4, atol=1e-4)
        assert merged.state_dict().keys() == base.state_dict().keys()
    method.unload(network)
    assert torch.equal(logits(network), before)
    assert network.state_dict().keys() == base.state_dict().keys()


@pytest.mark.slow
@pytest.mark.parametrize("kind", OPEN)
def test_packing_resuming_recomputing_and_bfloat16(kind, tmp_path, dataset, tiny_model, environment) -> None:
    tuned = train(kind, tmp_path, dataset, tiny_model, environment)
    method = {"peft": {"type": kind, "config": FIELDS.get(kind, {})}}
    section = TuneSection.model_validate({"method": method, "learning_rate": 1e-2, "steps": 4, "batch": 4})
    for case in (Case(section, dataset, tiny_model, environment, tmp_path, tuned=done) for done in (None, tuned)):
        for proof in ("packing", "accumulation", "resume"):
            assert proofs.run(proof, case).passed, proof

    (tmp_path / "4-tune").rename(tmp_path / "kept")
    again = train(kind, tmp_path, dataset, tiny_model, environment, engine={"activations": "recompute"})
    assert again.losses == pytest.approx(tuned.losses, rel=1e-5)

    (tmp_path / "4-tune").rename(tmp_path / "again")
    low = environment.model_copy(update={"precision": "bfloat16"})
    tuned = train(kind, tmp_path, dataset, tiny_model, low, steps=10)
    assert tuned.validation_losses[10] < tuned.validation_losses[0]
    # Outside of training nothing casts but PEFT's own layers.
    rounded, exact = (logits(tuned.network(tiny_model, dtype)).float() for dtype in (torch.bfloat16, torch.float32))
    assert torch.nn.functional.cosine_similarity(rounded, exact, dim=-1).min() > 0.99


def test_a_router_over_all_tokens_is_refused_for_cause(tmp_path, dataset, tiny_model, environment) -> None:
    """What the table says of LILY: an answer hangs on later tokens, and packed rows are not what they are alone."""
    method = METHODS.find("peft").model_construct(type="LILY", config={})
    section = TuneSection.model_validate({"method": "lora"}).model_copy(update={"method": method})
    assert not proofs.run("packing", Case(section, dataset, tiny_model, environment, tmp_path)).passed
    network = tiny_model.network(torch.float32)
    method.attach(network)
    for weight in method.trainable(network).values():
        torch.nn.init.normal_(weight)
    with torch.no_grad():
        assert not torch.allclose(network(IDS).logits[:, :3], network(IDS[:, :3]).logits, atol=0.1)
