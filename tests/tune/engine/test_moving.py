"""Weights that move in the backward pass end where they would have ended behind it."""

from __future__ import annotations

import json
import math

import pytest
import torch

from sevenfold.errors import RecipeError, TrainingError
from sevenfold.record import Entry
from sevenfold.tune import checkpoint
from sevenfold.tune.engine import moving
from sevenfold.tune.engine.passes import passes
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build, encoded_split, tune
from sevenfold.tune.trainer import Trainer
from sevenfold.tune.tuned import HISTORY_FILE

IN_BACKWARD = {"engine": {"step_in_backward": True}}
FULL = {"method": "full", "clip": None, "learning_rate": 1e-2, "steps": 4, "batch": 4, "optimizer": {"adamw": {}}}


def section(**more) -> TuneSection:
    return TuneSection.model_validate({**FULL, **more})


def trained(made: TuneSection, dataset, tiny_model, environment, folder):
    entry = Entry(folder)
    entry.folder.mkdir()
    return tune(made, dataset, tiny_model, environment, entry)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_same_losses_and_weights(method, dataset, tiny_model, environment, tmp_path) -> None:
    decayed = {"method": method, "optimizer": {"adamw": {"weight_decay": 0.1}}}
    behind = trained(section(**decayed), dataset, tiny_model, environment, tmp_path / "behind")
    within = trained(section(**decayed, **IN_BACKWARD), dataset, tiny_model, environment, tmp_path / "within")
    assert within.losses == behind.losses
    ids = torch.tensor([[1, 5, 9, 2, 30]])
    logits = [tuned.network(tiny_model, torch.float32)(ids).logits for tuned in (behind, within)]
    assert torch.equal(*logits)
    norms = [[step["gradient_norm"] for step in tuned.history()] for tuned in (behind, within)]
    assert norms[0] == pytest.approx(norms[1], rel=1e-5)


def named(weights):
    return {str(number): weight for number, weight in enumerate(weights)}


def test_a_method_can_give_weights_rates_of_their_own(rows, tiny_model, environment) -> None:
    forward = build(section(), tiny_model, environment)
    weights = dict(forward.network.named_parameters())
    slow = next(iter(weights))
    mover = moving.BehindBackward(forward, section(), weights, {slow: 0.25})
    mover.set_rate(1e-2)
    rates = {id(weight): group["lr"] for group in mover.optimizer.param_groups for weight in group["params"]}
    assert rates == {id(weight): 2.5e-3 if name == slow else 1e-2 for name, weight in weights.items()}


@pytest.fixture
def rows(dataset, tiny_model, tmp_path):
    return encoded_split("train", section(), dataset, tiny_model, Entry(tmp_path))


def test_only_one_gradient_exists_at_a_time(rows, tiny_model, environment) -> None:
    forward = build(section(), tiny_model, environment)
    weights = list(forward.network.parameters())
    mover = moving.InBackward(forward, section(), named(weights), {})
    mover.set_rate(1e-3)
    together = []
    for weight in weights:
        weight.register_post_accumulate_grad_hook(
            lambda _: together.append(sum(other.grad is not None for other in weights))
        )
    mover.step(passes(rows.sequences(range(4)), 10_000), lambda loss, norm: None)
    assert together == [1] * len(weights)
    assert all(weight.grad is None for weight in weights)


def test_several_passes_give_the_same_step_too(rows, tiny_model, environment) -> None:
    batch = passes(rows.sequences(range(6)), 150)
    assert len(batch) > 1
    found = []
    for kind in (moving.BehindBackward, moving.InBackward):
        forward = build(section(), tiny_model, environment)
        mover = kind(forward, section(), dict(forward.network.named_parameters()), {})
        mover.set_rate(1e-3)
        loss, norm = mover.step(batch, lambda loss, norm: None)
        found.append((loss, norm, [weight.detach().clone() for weight in mover.weights]))
    assert found[0][0] == found[1][0]
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-5)
    assert all(torch.equal(*pair) for pair in zip(found[0][2], found[1][2], strict=True))


def test_a_weight_of_which_only_an_earlier_pass_has_a_gradient_moves_too(rows, tiny_model, environment) -> None:
    forward = build(section(), tiny_model, environment)
    idle = torch.nn.Parameter(torch.ones(3))
    mover = moving.InBackward(forward, section(), named([*forward.network.parameters(), idle]), {})
    mover.set_rate(1e-3)
    idle.grad = torch.ones(3)
    mover.step(passes(rows.sequences(range(2)), 10_000), lambda loss, norm: None)
    assert torch.allclose(idle.detach(), torch.full((3,), 1 - 1e-3))


def test_the_guard_sees_the_loss_before_anything_moves(rows, tiny_model, environment) -> None:
    forward = build(section(), tiny_model, environment)
    weights = list(forward.network.parameters())
    before = [weight.detach().clone() for weight in weights]
    mover = moving.InBackward(forward, section(), named(weights), {})
    mover.set_rate(1e-3)

    def refuse(loss: float, norm: float) -> None:
        raise TrainingError(f"loss {loss}")

    with pytest.raises(TrainingError):
        mover.step(passes(rows.sequences(range(6)), 150), refuse)
    assert all(torch.equal(*pair) for pair in zip(before, weights, strict=True))


def test_a_gradient_that_is_not_a_number_is_said(rows, tiny_model, environment) -> None:
    forward = build(section(), tiny_model, environment)
    weights = dict(forward.network.named_parameters())
    mover = moving.InBackward(forward, section(), weights, {})
    mover.set_rate(1e-3)
    weights["model.layers.0.mlp.up_proj.weight"].register_hook(lambda gradient: gradient * math.nan)
    with pytest.raises(TrainingError, match=r"weights moved by it[\s\S]*step_in_backward: false"):
        mover.step(passes(rows.sequences(range(4)), 10_000), lambda loss, norm: None)


def test_the_same_command_goes_on_from_before_such_a_gradient(dataset, tiny_model, environment, tmp_path) -> None:
    """Weights have moved by it in memory; nothing of that is written, and the next run ends as one without it."""
    made = section(steps=6, checkpoint_every=2, **IN_BACKWARD)

    def trainer(entry: Entry) -> Trainer:
        entry.folder.mkdir(exist_ok=True)
        rows = encoded_split("train", made, dataset, tiny_model, entry)
        return Trainer(build(made, tiny_model, environment), made, rows, rows, environment.seed, entry)

    plain, broken = trainer(Entry(tmp_path / "plain")), trainer(Entry(tmp_path / "broken"))
    # The lowest norm: when its gradient is complete, the weights above it have moved.
    lowest = broken.weights["model.layers.0.input_layernorm.weight"]
    hook = lowest.register_hook(lambda gradient: gradient * (math.nan if broken.progress.step == 4 else 1))
    with pytest.raises(
        TrainingError, match=r"weights moved by it; the last checkpoint is from before\n  where: step 5, rows: made:"
    ):
        broken.train()
    hook.remove()
    assert lowest.isnan().all()
    assert [path.name for path in checkpoint.found(broken.checkpoints)] == ["step-00000002", "step-00000004"]
    again = trainer(broken.entry)
    plain.train()
    again.train()
    assert "resumed from step 4" in again.entry.record.notes
    assert again.progress == plain.progress
    for name, weight in plain.weights.items():
        assert torch.equal(again.weights[name], weight), name
    steps = [json.loads(line)["step"] for line in (broken.entry.folder / HISTORY_FILE).read_text().splitlines()]
    assert steps == [1, 2, 3, 4, 5, 6]


def test_divergence_stops_before_the_step_and_saves(dataset, tiny_model, environment, tmp_path) -> None:
    wild = section(learning_rate=1e30, steps=20, schedule={"constant": {"warmup": 0}}, **IN_BACKWARD)
    with pytest.raises(TrainingError, match=r"not a number|jumped"):
        trained(wild, dataset, tiny_model, environment, tmp_path / "4-tune")


def test_clipping_is_refused() -> None:
    with pytest.raises(ValueError, match=r"clip = 0\.5 cannot be kept; set tune\.clip: null"):
        section(clip=0.5, **IN_BACKWARD)


def test_several_passes_are_refused_with_what_would_do(dataset, tiny_model, environment, tmp_path) -> None:
    small = section(tokens_per_pass=150, **IN_BACKWARD)
    with pytest.raises(RecipeError, match=r"step_in_backward needs every step to be one pass") as caught:
        trained(small, dataset, tiny_model, environment, tmp_path / "refused")
    said = caught.value.next_step
    tokens, batch = (int(part.rpartition(" ")[2]) for part in said.split(", or "))
    trained(section(tokens_per_pass=tokens, **IN_BACKWARD), dataset, tiny_model, environment, tmp_path / "wider")
    with pytest.raises(RecipeError):
        trained(section(tokens_per_pass=tokens - 1, **IN_BACKWARD), dataset, tiny_model, environment, tmp_path / "less")
    fewer = section(tokens_per_pass=150, **{**IN_BACKWARD, "batch": batch})
    trained(fewer, dataset, tiny_model, environment, tmp_path / "fewer")


def test_a_stopped_run_resumes_to_the_same_bits(dataset, tiny_model, environment, tmp_path, monkeypatch) -> None:
    from sevenfold.prove import proofs
    from sevenfold.prove.proof import Case

    proof = proofs.run("resume", Case(section(**IN_BACKWARD), dataset, tiny_model, environment, tmp_path))
    assert proof.passed
    assert proof.figure == 0.0
