"""Answers behind a shared prompt go with every part of the engine: each equals the texts read one by one."""

from __future__ import annotations

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from sevenfold.chat.encoder import TokenSequence
from sevenfold.record import Entry
from sevenfold.schema import build
from sevenfold.tune import accumulate
from sevenfold.tune.engine import activations, compiled, documents, trunk
from sevenfold.tune.engine.blocks import stack
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.lora import share_inputs
from sevenfold.tune.engine.passes import pack, passes
from sevenfold.tune.engine.probe import trial
from sevenfold.tune.methods import METHODS
from sevenfold.tune.objectives import OBJECTIVES, Objective
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune
from tests.tune.objectives import judged

SIZES = {"vocab_size": 96, "hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4}


def row(start: int, stem: int, *answers: int, task: int = 0) -> TokenSequence:
    ids = iter(torch.randint(3, 96, (stem + sum(answers),), generator=torch.Generator().manual_seed(start)).tolist())
    found = TokenSequence(task=task)
    found.append([next(ids) for _ in range(stem)], 0.0)
    for length in answers:
        found.branch([next(ids) for _ in range(length)], 1.0)
    found.columns["reference"] = [-4.0 - place % 5 / 4 for place in range(len(found))]
    return found


ROWS = [row(1, 9, 4, 7), row(2, 20, 3, 3), row(3, 5, 8, 2), row(4, 14, 6, 9)]


def built(method: str = "lora", layers: int = 3, **fields) -> Forward:
    torch.manual_seed(0)
    config = LlamaConfig(**SIZES, num_hidden_layers=layers, num_key_value_heads=2)
    network = LlamaForCausalLM._from_config(config, attn_implementation=documents.register())
    build(METHODS.find(method), fields, method).attach(network)
    for name, weight in network.named_parameters():
        if weight.requires_grad and "lora_B" in name:
            weight.data.normal_(std=0.1)
    network.train()
    forward = Forward(network, torch.float32)
    share_inputs(network, lambda: forward(trial(network)))
    return forward


def objective(name: str = "dpo") -> Objective:
    return build(OBJECTIVES.find(name), {}, name)


def taken(forward: Forward, batch, asked: Objective) -> dict[str, torch.Tensor]:
    """The loss and all gradients."""
    loss = accumulate.gradients(forward, asked, batch)
    found = {n: w.grad.clone() for n, w in forward.network.named_parameters() if w.grad is not None}
    forward.network.zero_grad(set_to_none=True)
    return {"loss": torch.tensor(loss), **found}


def texts(rows) -> list:
    """One pass for all, without a branch: each text with the whole prompt before it."""
    return [pack([text for one in rows for text in one.texts()])]


def same(found, expected) -> None:
    assert found.keys() == expected.keys()
    assert len(found) > 1
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("budget", [1000, 30])
@pytest.mark.parametrize("recomputed", [0, 1, 3])
def test_blocks_that_are_computed_again(recomputed, budget) -> None:
    forward = built()
    expected = taken(forward, texts(ROWS), objective())
    activations.recompute(forward.network, recomputed)
    same(taken(forward, passes(ROWS, budget), objective()), expected)


def test_activations_held_elsewhere() -> None:
    forward = built()
    expected = taken(forward, texts(ROWS), objective())
    activations.offload(forward.network, least=0)
    same(taken(forward, passes(ROWS, 60), objective()), expected)


class Joint(type(objective("orpo"))):
    """A loss that is no sum over rows."""

    joint = True

    def losses(self, outputs, batch):
        found = super().losses(outputs, batch)
        return found + 0.1 * (found - found.mean()) ** 2


@pytest.mark.parametrize("recomputed", [0, 3])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_joint_loss_of_several_passes(recomputed, dropout) -> None:
    forward = built(dropout=dropout)
    asked = Joint()
    batch = passes(ROWS, 40)
    assert len(batch) > 1
    torch.manual_seed(5)
    # As one graph: all outputs with gradients, then the loss of all.
    outputs = torch.cat([asked.outputs(forward, part) for part in batch])
    from sevenfold.tune.engine.passes import joined

    loss = asked.loss(outputs, joined(batch)) / sum(map(asked.weight, batch))
    loss.backward()
    expected = {n: w.grad.clone() for n, w in forward.network.named_parameters() if w.grad is not None}
    forward.network.zero_grad(set_to_none=True)
    activations.recompute(forward.network, recomputed)
    torch.manual_seed(5)
    same(taken(forward, batch, asked), {"loss": loss.detach(), **expected})


@pytest.mark.parametrize("recomputed", [0, 3])
def test_compiled_blocks(recomputed) -> None:
    torch._dynamo.reset()
    forward = built()
    expected = taken(forward, texts(ROWS), objective())
    activations.recompute(forward.network, recomputed)
    compiled.put_in(forward, list(stack(forward.network)[1]), backend="aot_eager")
    for budget in (1000, 40):
        same(taken(forward, passes(ROWS, budget), objective()), expected)
    torch._dynamo.reset()


@pytest.mark.parametrize("recomputed", [0, 1])
def test_a_trunk_from_the_disk(recomputed, tmp_path) -> None:
    forward = built("layers", last=1)
    expected = taken(forward, texts(ROWS), objective())
    activations.recompute(forward.network, recomputed)
    cache, note = trunk.install(forward, tmp_path, sum(map(len, ROWS)), every=True)
    assert cache, note
    same(taken(forward, passes(ROWS, 60), objective()), expected)
    assert (len(cache.states), cache.skipped) == (len(ROWS), 0)
    same(taken(forward, passes(ROWS, 1000), objective()), expected)
    assert cache.skipped == 1


def test_a_trunk_knows_where_answers_begin(tmp_path) -> None:
    """The same ids with the border elsewhere, or as one text, are other states."""
    forward = built("layers", last=1)
    first = row(7, 10, 4, 4)
    others = [TokenSequence(first.ids, first.weights, branches=at) for at in ((9, 14), (10, 15), (14,), ())]
    with torch.no_grad():
        expected = [forward(pack([one])) for one in (first, *others)]
        cache, _ = trunk.install(forward, tmp_path, 1000, every=True)
        for _ in range(2):
            for one, said in zip((first, *others), expected, strict=True):
                torch.testing.assert_close(forward(pack([one])), said, rtol=0, atol=0)
    # One text behind a stem is the text alone.
    assert len(cache.states) == 4
    assert cache.skipped == 6


@pytest.mark.parametrize("recomputed", [0, 3])
def test_tasks_side_by_side(recomputed) -> None:
    """Every span of a row, its stem and its answers, goes to the adapter of the row's task."""
    forward = built("several", tasks=["a", "b"], rank=4)
    for name, weight in forward.network.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.1, generator=torch.Generator().manual_seed(len(name) + ord(name.split(".")[-2])))
    rows = [row(n, 8 + n, 4, 5, task=n % 2) for n in range(1, 5)]
    activations.recompute(forward.network, recomputed)
    packed = taken(forward, passes(rows, 1000), objective())
    same(taken(forward, texts(rows), objective()), packed)
    # By the adapters one at a time: rows of a task never move the other's.
    alone = taken(forward, [pack([one for one in rows if one.task == 1])], objective())
    assert all(not gradient.any() for name, gradient in alone.items() if ".a." in name)
    from sevenfold.tune.engine.several import answer_as

    with torch.no_grad():
        for name, task in (("a", 0), ("b", 1)):
            some = [one for one in rows if one.task == task]
            batch = pack(some)
            answer_as(forward.network, name)
            batch.tasks = []
            torch.testing.assert_close(forward(pack(some)), forward(batch), rtol=1e-5, atol=1e-5)


def test_a_mixture_of_adapters(tmp_path) -> None:
    for number in (1, 2):
        torch.manual_seed(number)
        made = built()
        for name, weight in made.network.named_parameters():
            if "lora_" in name:
                weight.data.normal_(std=0.1)
        folder = tmp_path / str(number)
        folder.mkdir()
        build(METHODS.find("lora"), {}, "lora").save(made.network, folder, "tiny")
    forward = built("fusion", adapters=[str(tmp_path / "1"), str(tmp_path / "2")])
    same(taken(forward, passes(ROWS, 40), objective()), taken(forward, texts(ROWS), objective()))


SECTION = {"objective": "dpo", "method": {"layers": {"last": 1}}, "learning_rate": 1e-2, "batch": 4}


def trained(folder, model, environment, dataset, **fields):
    entry = Entry(folder)
    entry.folder.mkdir(exist_ok=True)
    return tune(TuneSection.model_validate({**SECTION, **fields}), dataset, model, environment, entry), entry


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_training_with_references_and_a_trunk(
    epochs, tiny_model, environment, tmp_path, monkeypatch, own_cache
) -> None:
    """What is asked before the first step fills the trunk's file, so even the first epoch reads from it."""
    dataset, kept, apply = judged.pairs(tmp_path / "1-prepare"), [], trunk.apply
    plain, _ = trained(
        tmp_path / "plain", tiny_model, environment, dataset, epochs=epochs, engine={"trunk_cache": "never"}
    )
    monkeypatch.setattr(trunk, "apply", lambda *given: kept.append(apply(*given)) or kept[0])
    monkeypatch.setenv("SEVENFOLD_CACHE", str(tmp_path / "other"))
    cached, entry = trained(tmp_path / "cached", tiny_model, environment, dataset, epochs=epochs)
    assert any("lowest 1 of 2 blocks are frozen" in note for note in entry.record.notes)
    assert cached.losses == pytest.approx(plain.losses, rel=1e-5)
    assert cached.validation_losses == pytest.approx(plain.validation_losses, rel=1e-5)
    assert len(kept[0].states) == 26, "twenty rows and six of validation"
    assert kept[0].skipped >= 5 * epochs


def test_nothing_is_kept_of_tokens_that_are_others_in_each_step(tiny_model, environment, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(OBJECTIVES.find("dpo"), "anew", True)
    _, entry = trained(tmp_path / "4-tune", tiny_model, environment, judged.pairs(tmp_path / "1-prepare"), epochs=3)
    assert not any("blocks are frozen" in note for note in entry.record.notes)
