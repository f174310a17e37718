"""SpIEL: entries that move change while training; counts, memory, and an exact resume across changes."""

from __future__ import annotations

import json

import pytest
import torch

from sevenfold.errors import RecipeError
from sevenfold.prove import proofs
from sevenfold.prove.proof import Case
from sevenfold.record import Entry
from sevenfold.schema import build
from sevenfold.tune.engine import bases, sparse
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.probe import trial
from sevenfold.tune.methods.spiel import Spiel
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune

QUICK = {"density": 0.05, "every": 2, "collect": 1, "renew": 0.5}


def section_of(fields, **more) -> TuneSection:
    return TuneSection.model_validate(
        {"method": {"spiel": fields}, "learning_rate": 1e-2, "steps": 6, "batch": 4, **more}
    )


def train(fields, tmp_path, dataset, model, environment, **more):
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir(exist_ok=True)
    return tune(section_of(fields, **more), dataset, model, environment, entry)


def test_counts_are_exact(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    entries = [network.get_submodule(name).weight.numel() for name in bases.linear_names(network)]
    method = Spiel(density=0.03)
    method.attach(network)
    moving = sum(weight.numel() for weight in method.trainable(network).values())
    assert moving == sum(round(0.03 * count) for count in entries)
    assert method.notes(network) == [f"{moving:,} of {sum(entries):,} weights of 14 linear layers move (3.00%)"]


@pytest.mark.parametrize(("grow", "bytes_an_entry"), [("gradient", 4 + 4 + 8), ("momentum", 4 + 4)])
def test_memory_is_that_of_the_entries(grow, bytes_an_entry, tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    before = sum(value.nbytes for value in [*network.parameters(), *network.buffers()])
    sizes = [sum(bases.sizes(network.get_submodule(name))) for name in bases.linear_names(network)]
    Spiel(grow=grow).attach(network)
    layers = sparse.layers(network).values()
    entries = sum(len(layer.places) for layer in layers)
    added = sum(value.nbytes for value in [*network.parameters(), *network.buffers()]) - before
    assert added == entries * bytes_an_entry + (4 * sum(sizes) if grow == "momentum" else 0)


@pytest.mark.parametrize("grow", ["gradient", "momentum"])
def test_places_change_and_the_rest_keeps_its_bits(grow, tmp_path, dataset, tiny_model, environment) -> None:
    tuned = train({**QUICK, "grow": grow}, tmp_path, dataset, tiny_model, environment, keep="last")
    attached = tiny_model.network(torch.float32)
    torch.manual_seed(environment.seed)
    Spiel(**QUICK).attach(attached)
    base, merged = tiny_model.network(torch.float32), tuned.merged(tiny_model, torch.float32)
    changed = sum(
        int((weight != other).sum()) for weight, other in zip(base.parameters(), merged.parameters(), strict=True)
    )
    assert 0.5 * tuned.trainable_parameters < changed <= tuned.trainable_parameters
    first = sparse.layers(attached)
    kept = 0
    for name, layer in sparse.layers(tuned.network(tiny_model, torch.float32)).items():
        assert len(layer.places.unique()) == len(first[name].places)
        kept += int(torch.isin(layer.places, first[name].places).sum())
        moves = torch.zeros(layer.outputs * layer.inputs, dtype=torch.bool)
        moves[layer.places] = True
        before, after = base.get_submodule(name).weight.flatten(), merged.get_submodule(name).weight.flatten()
        assert torch.equal(before[~moves], after[~moves])
    # All were replaced behind the first step; by chance a few are what they were.
    assert kept < 0.5 * tuned.trainable_parameters


@pytest.mark.parametrize("grow", ["gradient", "momentum"])
@pytest.mark.parametrize("fields", [{"every": 2, "collect": 1}, {"every": 3, "collect": 3}])
def test_a_resume_across_changes_is_exact(grow, fields, tmp_path, dataset, tiny_model, environment) -> None:
    """With three steps of collecting, the stop comes between two of them."""
    section = section_of({**QUICK, **fields, "grow": grow})
    proof = proofs.run("resume", Case(section, dataset, tiny_model, environment, tmp_path))
    assert proof.passed
    assert proof.figure == 0


@pytest.mark.parametrize("engine", [{"activations": "recompute"}, {"step_in_backward": True}])
def test_the_engine_changes_nothing(engine, tmp_path, dataset, tiny_model, environment) -> None:
    plain = train(QUICK, tmp_path, dataset, tiny_model, environment, clip=None, tokens_per_pass=4096)
    (tmp_path / "4-tune").rename(tmp_path / "plain")
    again = train(QUICK, tmp_path, dataset, tiny_model, environment, clip=None, tokens_per_pass=4096, engine=engine)
    assert again.losses == pytest.approx(plain.losses, rel=1e-5)


def test_momentum_needs_whole_gradients() -> None:
    section = section_of({}, clip=None, engine={"step_in_backward": True})
    with pytest.raises(RecipeError, match=r"grow: momentum reads whole gradients(.|\n)*step_in_backward: false"):
        Spiel(grow="momentum").check(section)
    Spiel(grow="gradient").check(section)


def test_collecting_longer_than_a_period_is_refused() -> None:
    with pytest.raises(RecipeError, match="collect = 9 is more than every = 4 steps"):
        build(Spiel, {"every": 4, "collect": 9}, "spiel")


def test_gradients_are_those_of_the_whole_weights_at_the_entries(tiny_model) -> None:
    whole, part = (tiny_model.network(torch.float32).train() for _ in range(2))
    method = Spiel(density=0.05)
    method.attach(part)
    for network in (whole, part):
        Forward(network, torch.float32)(trial(network)).sum().backward()
    for name, layer in sparse.layers(part).items():
        expected = whole.get_submodule(name).weight.grad.flatten()[layer.places]
        torch.testing.assert_close(layer.deltas.grad, expected, rtol=1e-4, atol=1e-5)


def test_the_files_say_what_they_are(tmp_path, dataset, tiny_model, environment) -> None:
    tuned = train(QUICK, tmp_path, dataset, tiny_model, environment)
    settings = json.loads((tuned.weights / "deltas.json").read_text())
    assert (settings["base"], settings["method"], settings["density"]) == ("tiny", "spiel", 0.05)
    size = (tuned.weights / "deltas.safetensors").stat().st_size
    assert 8 * tuned.trainable_parameters < size < 8 * tuned.trainable_parameters + 4096
