"""LoRA: what it writes is PEFT's, and mistakes in its fields are named."""

from __future__ import annotations

import json

import pytest
import torch

from sevenfold.errors import ModelError, RecipeError
from sevenfold.prove import proofs
from sevenfold.prove.proof import Case
from sevenfold.record import Entry
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.methods.lora import Lora
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune
from sevenfold.tune.tokens import encoded_split
from sevenfold.tune.trainer import Trainer

IDS = torch.tensor([[1, 5, 9, 2, 30]])


@pytest.fixture
def changed(tiny_model):
    """A network with an adapter that does something."""
    torch.manual_seed(1)
    network = tiny_model.network(torch.float32)
    method = Lora(rank=4, alpha=6)
    method.attach(network)
    for name, weight in method.trainable(network).items():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    return method, network


@pytest.mark.parametrize("stabilized", [False, True])
def test_peft_reads_the_file_and_answers_the_same(stabilized, tiny_model, tmp_path) -> None:
    from peft import PeftModel

    torch.manual_seed(1)
    network = tiny_model.network(torch.float32)
    method = Lora(rank=4, alpha=6, rank_stabilized=stabilized)
    method.attach(network)
    for name, weight in method.trainable(network).items():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    method.save(network, tmp_path, "tiny")
    theirs = PeftModel.from_pretrained(tiny_model.network(torch.float32), tmp_path)
    with torch.no_grad():
        torch.testing.assert_close(theirs(IDS).logits, network(IDS).logits, rtol=1e-5, atol=1e-5)


def test_gradients_are_pefts(changed, tiny_model, tmp_path) -> None:
    from peft import PeftModel

    method, network = changed
    method.save(network, tmp_path, "tiny")
    theirs = PeftModel.from_pretrained(tiny_model.network(torch.float32), tmp_path, is_trainable=True)
    for model in (network, theirs):
        torch.log_softmax(model(IDS).logits, -1)[0, :-1].gather(-1, IDS[0, 1:, None]).sum().backward()
    mine = {name: weight.grad for name, weight in method.trainable(network).items()}
    for name, weight in theirs.named_parameters():
        if weight.requires_grad:
            key = name.removeprefix("base_model.model.").replace(".default", "")
            torch.testing.assert_close(mine[key], weight.grad, rtol=1e-4, atol=1e-5)


def test_targets_choose_layers_by_the_end_of_their_name(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    names = Lora(targets=["q_proj", "mlp.up_proj"]).target_names(network)
    assert len(names) == 4
    assert {name.rsplit(".", 1)[-1] for name in names} == {"q_proj", "up_proj"}


def test_a_target_that_names_nothing_suggests_the_nearest(tiny_model) -> None:
    with pytest.raises(RecipeError, match="did you mean: q_proj"):
        Lora(targets=["q_prj"]).target_names(tiny_model.network(torch.float32))


def test_a_network_without_linear_layers_is_refused() -> None:
    network = torch.nn.Sequential(torch.nn.Embedding(5, 8), torch.nn.LayerNorm(8))
    network.get_output_embeddings = lambda: None
    with pytest.raises(ModelError, match=r"no linear layers[\s\S]*full"):
        Lora().attach(network)  # type: ignore[arg-type]


def test_gpt2s_transposed_layers_are_adapted_as_peft_reads_them(tmp_path) -> None:
    from peft import PeftModel
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(1)
    network = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=50)).eval()
    network.save_pretrained(tmp_path / "base")
    method = Lora(rank=2)
    method.attach(network)
    for name, weight in method.trainable(network).items():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    method.save(network, tmp_path, "tiny")
    theirs = PeftModel.from_pretrained(GPT2LMHeadModel.from_pretrained(tmp_path / "base"), tmp_path)
    with torch.no_grad():
        expected = network(IDS).logits
        torch.testing.assert_close(theirs(IDS).logits, expected, rtol=1e-5, atol=1e-5)
        method.merge(network)
        torch.testing.assert_close(network(IDS).logits, expected, rtol=1e-5, atol=1e-5)


def test_the_config_says_what_peft_needs(changed, tmp_path) -> None:
    method, network = changed
    method.save(network, tmp_path, "tiny")
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert (config["peft_type"], config["r"], config["lora_alpha"]) == ("LORA", 4, 6)
    assert len(config["target_modules"]) == 14


def moved(method, network) -> None:
    """Move every trainable parameter a little, as training would."""
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in method.trainable(network).values():
            weight.add_(0.05 * torch.randn_like(weight))


@torch.no_grad()
def logits(network):
    return network.eval()(IDS).logits


def largest_gap(one, other) -> float:
    return float((one - other).abs().max())


@pytest.mark.parametrize("init", ["gaussian", "pissa", "olora"])
def test_every_start_is_the_base(init, tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    before = logits(network)
    Lora(rank=4, init=init).attach(network)
    assert torch.equal(logits(network), before)


@pytest.mark.parametrize("stabilized", [False, True])
@pytest.mark.parametrize("init", ["gaussian", "pissa", "olora"])
def test_a_start_in_the_weight_is_saved_as_an_ordinary_lora_of_the_original_base(
    init, stabilized, tiny_model, tmp_path
) -> None:
    from peft import PeftModel

    method = Lora(rank=4, alpha=6, init=init, rank_stabilized=stabilized)
    network, base = tiny_model.network(torch.float32), tiny_model.network(torch.float32)
    method.attach(network)
    moved(method, network)
    expected = logits(network)
    assert largest_gap(expected, logits(base)) > 0.1
    method.save(network, tmp_path, "tiny")
    assert json.loads((tmp_path / "adapter_config.json").read_text())["r"] == (4 if init == "gaussian" else 8)
    theirs = PeftModel.from_pretrained(tiny_model.network(torch.float32), tmp_path)
    torch.testing.assert_close(logits(theirs), expected, rtol=1e-5, atol=1e-5)
    loaded = tiny_model.network(torch.float32)
    method.load(loaded, tmp_path)
    torch.testing.assert_close(logits(loaded), expected, rtol=1e-5, atol=1e-5)
    assert {n: w.shape for n, w in method.trainable(loaded).items()} == {
        n: w.shape for n, w in method.trainable(network).items()
    }
    method.merge(loaded)
    torch.testing.assert_close(logits(loaded), expected, rtol=1e-5, atol=1e-5)
    method.unload(network)
    for (name, kept), weight in zip(network.named_parameters(), base.parameters(), strict=True):
        assert torch.equal(kept, weight), name


def test_training_behind_pissa_is_pefts_training_behind_pissa(tiny_model) -> None:
    from peft import LoraConfig, get_peft_model

    method = Lora(rank=4, alpha=6, init="pissa", pissa_iterations=None)
    network = tiny_model.network(torch.float32)
    names = method.target_names(network)
    method.attach(network)
    config = LoraConfig(r=4, lora_alpha=6, target_modules=names, init_lora_weights="pissa")
    theirs = get_peft_model(tiny_model.network(torch.float32), config)
    for model in (network, theirs):
        moving = [weight for weight in model.parameters() if weight.requires_grad]
        optimizer = torch.optim.SGD(moving, lr=0.05)
        for _ in range(5):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(IDS).logits[0, :-1], IDS[0, 1:]).backward()
            optimizer.step()
    assert largest_gap(logits(network), logits(tiny_model.network(torch.float32))) > 0.1
    torch.testing.assert_close(logits(network), logits(theirs), rtol=1e-3, atol=1e-3)


def test_pissa_at_a_high_rank_learns_in_the_principal_directions(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    Lora(rank=4, init="pissa", pissa_iterations=None, targets=["q_proj"]).attach(network)
    layer = network.model.layers[0].self_attn.q_proj
    values = torch.linalg.svdvals(layer.base_layer.weight)
    rest = layer.base_layer.weight - layer.scale * layer.lora_B.weight @ layer.lora_A.weight
    torch.testing.assert_close(torch.linalg.svdvals(rest)[0], values[4], rtol=1e-4, atol=1e-5)


def test_a_rank_that_a_weight_does_not_have_is_refused(tiny_model) -> None:
    with pytest.raises(RecipeError, match=r"rank = 40 is more than[\s\S]*k_proj[\s\S]*lora.rank[\s\S]*at most 32"):
        Lora(rank=40, init="pissa").attach(tiny_model.network(torch.float32))


def test_the_skeleton_takes_every_start(tiny_model) -> None:
    for init in ("gaussian", "pissa", "olora"):
        skeleton, network = tiny_model.skeleton(), tiny_model.network(torch.float32)
        method = Lora(rank=4, init=init)
        method.attach(skeleton)
        method.attach(network)
        assert {n: w.shape for n, w in method.trainable(skeleton).items()} == {
            n: w.shape for n, w in method.trainable(network).items()
        }


def test_b_learns_faster_by_the_ratio(tiny_model) -> None:
    from sevenfold.tune.optimizers.adamw import AdamW

    network = tiny_model.network(torch.float32)
    assert Lora().rates(network) == {}
    method = Lora(rate_ratio=16)
    method.attach(network)
    optimizer = AdamW().for_weights(method.trainable(network), method.rates(network))
    factors = {group["factor"]: len(group["params"]) for group in optimizer.param_groups}
    assert factors == {1.0: 14, 16: 14}
    named = {id(weight): name for name, weight in network.named_parameters()}
    fast = next(group for group in optimizer.param_groups if group["factor"] == 16)
    assert all("lora_B" in named[id(weight)] for weight in fast["params"])


@pytest.mark.parametrize(
    ("fields", "blocks"), [({"first": 1}, {0}), ({"last": 1}, {1}), ({"first": 1, "last": 1}, {0, 1})]
)
def test_only_the_first_or_last_blocks_are_adapted(fields, blocks, tiny_model) -> None:
    names = Lora(**fields).target_names(tiny_model.network(torch.float32))
    assert {int(name.split(".")[2]) for name in names} == blocks
    assert len(names) == 7 * len(blocks)


def test_patterns_name_layers_of_some_blocks(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    assert Lora(targets=["*.layers.1.*.q_proj", "*.0.mlp.*"]).target_names(network) == [
        "model.layers.0.mlp.gate_proj",
        "model.layers.0.mlp.up_proj",
        "model.layers.0.mlp.down_proj",
        "model.layers.1.self_attn.q_proj",
    ]


def test_more_blocks_than_there_are_are_refused(tiny_model) -> None:
    with pytest.raises(RecipeError, match=r"last = 3[\s\S]*tune.method.lora[\s\S]*at most 2 together"):
        Lora(last=3).target_names(tiny_model.network(torch.float32))


def test_targets_outside_the_chosen_blocks_are_refused(tiny_model) -> None:
    with pytest.raises(RecipeError, match=r"no target lies in the first 0 and the last 1 blocks[\s\S]*layers.1.mlp"):
        Lora(last=1, targets=["*.0.mlp.*"]).target_names(tiny_model.network(torch.float32))


def test_a_file_of_another_rank_is_refused(changed, tiny_model, tmp_path) -> None:
    method, network = changed
    method.save(network, tmp_path, "tiny")
    with pytest.raises(ModelError, match=r"does not fit[\s\S]*rank 1, as the recipe says"):
        Lora(rank=1).load(tiny_model.network(torch.float32), tmp_path)


def test_what_lies_below_the_last_blocks_is_computed_once(tiny_model, dataset, environment, tmp_path) -> None:
    section = TuneSection.model_validate({"method": {"lora": {"last": 1}}, "steps": 12, "batch": 4})
    entry = Entry(tmp_path)
    tune(section, dataset, tiny_model, environment, entry)
    assert any("the lowest 1 of 2 blocks are frozen" in note for note in entry.record.notes)


@pytest.mark.parametrize("proof", ["packing", "accumulation", "resume"])
def test_the_proofs_hold_with_dropout(proof, tiny_model, dataset, environment, tmp_path) -> None:
    section = TuneSection.model_validate({"method": {"lora": {"dropout": 0.3}}, "learning_rate": 1e-2, "batch": 4})
    assert proofs.run(proof, Case(section, dataset, tiny_model, environment, tmp_path)).passed


def test_dropout_changes_training_and_not_validation(tiny_model, dataset, environment, tmp_path) -> None:
    found = []
    for dropout in (0.0, 0.5):
        fields = {"method": {"lora": {"dropout": dropout}}, "learning_rate": 1e-2, "steps": 2, "keep": "last"}
        entry = Entry(tmp_path / str(dropout))
        entry.folder.mkdir()
        found.append(tune(TuneSection.model_validate(fields), dataset, tiny_model, environment, entry))
    without, dropped = found
    assert without.losses[1] != dropped.losses[1]
    network = dropped.network(tiny_model, torch.float32)
    section, entry = TuneSection.model_validate(fields), Entry(tmp_path)
    rows = encoded_split("validation", section, dataset, tiny_model, entry)
    trainer = Trainer(Forward(network.train(), torch.float32), section, rows, rows, 0, entry)
    assert section.objective.validation(trainer.forward, [], rows.sequences(range(len(rows))), 1024)[
        0
    ] == pytest.approx(dropped.validation_losses[2], rel=1e-5)
