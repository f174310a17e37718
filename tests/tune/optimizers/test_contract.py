"""Every optimiser: its formula, its state's size, its resume, its step in the backward pass, and that it learns."""

from __future__ import annotations

from statistics import fmean

import pytest
import torch
from torch import nn

from sevenfold.errors import SevenfoldError
from sevenfold.prove import proofs
from sevenfold.prove.proof import Case
from sevenfold.record import Entry
from sevenfold.schema import build
from sevenfold.tune import checkpoint
from sevenfold.tune.optimizers import OPTIMIZERS
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune

RATES = {"sgd": 0.1, "adadelta": 30.0, "adafactor": 0.1, "lion": 3e-3, "adagrad": 3e-2, "rmsprop": 3e-3}
FIELDS = {"schedule_free": {"schedule": {"constant": {"warmup": 0.2}}}}


@pytest.fixture(params=OPTIMIZERS.names())
def name(request) -> str:
    return request.param


def section(name: str, **fields) -> TuneSection:
    return TuneSection.model_validate(
        {
            "optimizer": name,
            "learning_rate": RATES.get(name, 1e-2),
            "batch": 4,
            "steps": 4,
            **FIELDS.get(name, {}),
            **fields,
        }
    )


def train(name: str, tmp_path, dataset, model, environment, **fields):
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir(exist_ok=True)
    return tune(section(name, **fields), dataset, model, environment, entry)


def test_it_learns(name, dataset, tiny_model, environment, tmp_path) -> None:
    tuned = train(name, tmp_path, dataset, tiny_model, environment, steps=40, keep="last")
    assert fmean(tuned.losses[-5:]) < fmean(tuned.losses[:5]) - 0.1
    assert tuned.validation_losses[40] < tuned.validation_losses[0]


def test_what_is_kept_is_what_was_validated(name, dataset, tiny_model, environment, tmp_path) -> None:
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.tokens import encoded_split

    tuned = train(name, tmp_path, dataset, tiny_model, environment, keep="last")
    asked = section(name)
    rows = encoded_split("validation", asked, dataset, tiny_model, Entry(tmp_path))
    forward = Forward(tuned.network(tiny_model, torch.float32), torch.float32)
    again = asked.objective.validation(forward, [], rows.sequences(range(len(rows))), 1024)[0]
    assert again == pytest.approx(tuned.validation_losses[4], rel=1e-5)


def test_it_resumes_exactly(name, dataset, tiny_model, environment, tmp_path) -> None:
    proof = proofs.run("resume", Case(section(name), dataset, tiny_model, environment, tmp_path))
    assert proof.passed, proofs.line(proof)


def test_it_may_move_weights_in_the_backward_pass(name, dataset, tiny_model, environment, tmp_path) -> None:
    losses = []
    for inside in (False, True):
        place = tmp_path / str(inside)
        place.mkdir()
        fields = {"clip": None, "engine": {"step_in_backward": inside}}
        losses.append(train(name, place, dataset, tiny_model, environment, **fields).losses)
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_its_state_is_as_large_as_it_says(name) -> None:
    weights = {
        "layer.weight": nn.Parameter(torch.randn(96, 64)),
        "embed_tokens.weight": nn.Parameter(torch.randn(128, 64)),
        "layer.bias": nn.Parameter(torch.randn(96)),
    }
    chosen = build(OPTIMIZERS.find(name), {}, name)
    optimizer = chosen.for_weights(weights, {})
    for weight in weights.values():
        weight.grad = torch.randn_like(weight)
    optimizer.step()
    tensors = [
        value for state in optimizer.state.values() for value in state.values() if torch.is_tensor(value) and value.ndim
    ]
    assert chosen.state_bytes(weights) == sum(value.numel() * value.element_size() for value in tensors)


# What the papers say, for one parameter and two gradients, in plain numbers.
RATE, G1, G2, START = 0.1, 0.5, -0.2, 2.0


def sgd(w):
    m = G1
    w -= RATE * m
    m = 0.9 * m + G2
    return w - RATE * m


def adagrad(w):
    w -= RATE * G1 / (G1**2) ** 0.5
    return w - RATE * G2 / (G1**2 + G2**2) ** 0.5


def rmsprop(w):
    v = 0.01 * G1**2
    w -= RATE * G1 / v**0.5
    v = 0.99 * v + 0.01 * G2**2
    return w - RATE * G2 / v**0.5


def adadelta(w):
    v, u = 0.1 * G1**2, 0.0
    d = G1 * (u + 1e-6) ** 0.5 / (v + 1e-6) ** 0.5
    u = 0.1 * d**2
    w -= RATE * d
    v = 0.9 * v + 0.1 * G2**2
    return w - RATE * G2 * (u + 1e-6) ** 0.5 / (v + 1e-6) ** 0.5


def adam(w):
    m, v = 0.1 * G1, 0.001 * G1**2
    w -= RATE * (m / 0.1) / (v / 0.001) ** 0.5
    m, v = 0.9 * m + 0.1 * G2, 0.999 * v + 0.001 * G2**2
    return w - RATE * (m / (1 - 0.9**2)) / (v / (1 - 0.999**2)) ** 0.5


def lion(w):
    w -= RATE * 1.0
    m = 0.01 * G1
    return w - RATE * (1.0 if 0.9 * m + 0.1 * G2 > 0 else -1.0)


def schedule_free(w):
    """The average, which is what the training is for."""
    z = x = y = w
    v, rates = 0.0, 0.0
    for step, g in enumerate((G1, G2), 1):
        v = 0.999 * v + 0.001 * g**2
        z -= RATE * g / (v / (1 - 0.999**step)) ** 0.5
        rates += RATE**2
        x = (1 - RATE**2 / rates) * x + RATE**2 / rates * z
        y = 0.1 * z + 0.9 * x
    assert y != x
    return x


PLAIN = {
    "sgd": sgd,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adadelta": adadelta,
    "adam": adam,
    "adamw": adam,
    "adamw_8bit": adam,
    "lion": lion,
    "schedule_free": schedule_free,
    # A number alone is no matrix: Muon's others move by AdamW.
    "muon": adam,
}


@pytest.mark.parametrize("formula", PLAIN)
def test_two_steps_by_hand(formula) -> None:
    weight = nn.Parameter(torch.tensor([START]))
    chosen = build(OPTIMIZERS.find(formula), {}, formula)
    optimizer = chosen.for_weights({"bias": weight}, {"bias": 1.0})
    for gradient in (G1, G2):
        for group in optimizer.param_groups:
            group["lr"] = RATE * group["factor"]
        weight.grad = torch.tensor([gradient])
        optimizer.step()
    chosen.settle(optimizer)
    assert float(weight.detach()) == pytest.approx(PLAIN[formula](START), abs=1e-5)


def test_adafactor_by_hand() -> None:
    w, g = torch.tensor([[1.0, -2.0], [0.5, 3.0]]), torch.tensor([[0.1, 0.4], [-0.2, 0.3]])
    weight = nn.Parameter(w.clone())
    optimizer = build(OPTIMIZERS.find("adafactor"), {}, "adafactor").for_weights({"w": weight}, {})
    optimizer.param_groups[0]["lr"] = RATE
    weight.grad = g.clone()
    optimizer.step()
    rows, columns = (g**2).mean(1), (g**2).mean(0)
    u = g / (rows[:, None] * columns / rows.mean()).sqrt()
    expected = w - RATE * w.square().mean().sqrt() * u / max(1.0, float(u.square().mean().sqrt()))
    torch.testing.assert_close(weight.detach(), expected, rtol=1e-4, atol=1e-5)


def test_muon_moves_a_matrix_by_its_nearest_orthogonal_one() -> None:
    torch.manual_seed(0)
    weight = nn.Parameter(torch.zeros(16, 8))
    optimizer = build(OPTIMIZERS.find("muon"), {}, "muon").for_weights({"layer.weight": weight}, {})
    optimizer.param_groups[0]["lr"] = 1.0
    weight.grad = torch.randn(16, 8)
    left, _, right = torch.linalg.svd(weight.grad, full_matrices=False)
    optimizer.step()
    moved = -weight.detach() / (0.2 * 16**0.5)
    # The iteration leaves singular values between about 0.7 and 1.2; the directions are the gradient's own.
    spectrum = torch.diag(left.T @ moved @ right.T)
    assert 0.6 < float(spectrum.min()) < float(spectrum.max()) < 1.3
    assert float((moved - left @ torch.diag(spectrum) @ right).abs().max()) < 0.05


def test_decay_takes_its_share_of_matrices_alone() -> None:
    for name in ("adamw", "lion", "schedule_free", "adamw_8bit", "muon", "adafactor"):
        weights = {"w": nn.Parameter(torch.full((4, 4), 2.0)), "b": nn.Parameter(torch.full((4,), 2.0))}
        chosen = build(OPTIMIZERS.find(name), {"weight_decay": 0.5}, name)
        optimizer = chosen.for_weights(weights, {})
        for group in optimizer.param_groups:
            group["lr"] = 0.1
        for weight in weights.values():
            weight.grad = torch.zeros_like(weight)
        optimizer.step()
        chosen.settle(optimizer)
        assert float(weights["w"].detach().mean()) == pytest.approx(2.0 * (1 - 0.1 * 0.5), abs=1e-4), name
        assert float(weights["b"].detach().mean()) == 2.0, name


@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_a_checkpoint_of_large_weights_goes_on_with_the_same_bits(name, tmp_path) -> None:
    """Large enough for state of 8 bits, of which some is shared by all weights."""

    def made():
        torch.manual_seed(0)
        weights = {key: nn.Parameter(torch.randn(80, 64)) for key in ("one", "other")}
        optimizer = build(OPTIMIZERS.find(name), {}, name).for_weights(weights, {})
        for group in optimizer.param_groups:
            group["lr"] = 1e-2
        return weights, optimizer

    def step(weights, optimizer, number: int) -> None:
        for weight in weights.values():
            weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(number))
        optimizer.step()

    weights, optimizer = made()
    step(weights, optimizer, 1)
    checkpoint.save(tmp_path, {"step": 1}, weights, optimizer, keep=1)
    step(weights, optimizer, 2)
    others, fresh = made()
    checkpoint.load(checkpoint.found(tmp_path)[-1], others, fresh)
    step(others, fresh, 2)
    assert all(torch.equal(weights[key], others[key]) for key in weights)


def test_a_falling_rate_beside_an_average_is_refused() -> None:
    with pytest.raises(ValueError, match=r"schedule_free averages weights"):
        TuneSection.model_validate({"optimizer": "schedule_free", "schedule": "cosine"})


def test_pages_without_a_gpu_are_refused() -> None:
    chosen = build(OPTIMIZERS.find("adamw_8bit"), {"paged": True}, "adamw_8bit")
    with pytest.raises(SevenfoldError, match="weights are on the CPU"):
        chosen.for_weights({"w": nn.Parameter(torch.zeros(4, 4))}, {})
