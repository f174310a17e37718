"""Spectrum: the ratio, the choice, and that a loaded model has the same."""

from __future__ import annotations

import json
import math

import pytest
import torch

from sevenfold.errors import ModelError, RecipeError
from sevenfold.record import Entry
from sevenfold.tune.engine import spectrum
from sevenfold.tune.methods.spectrum import Spectrum
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune
from tests.tune.engine.architectures import ARCHITECTURES


def with_values(values: list[float], rows: int = 6, columns: int = 9) -> torch.Tensor:
    """A matrix with these singular values."""
    torch.manual_seed(0)
    left, right = (torch.linalg.qr(torch.randn(size, len(values), dtype=torch.float64))[0] for size in (rows, columns))
    return (left * torch.tensor(values, dtype=torch.float64) @ right.t()).float()


def test_the_ratio_is_the_papers() -> None:
    values = [10.0, 3.0, 2.5, 2.0, 1.5, 1.0]
    # Quartiles of six values: 2.875 and 1.625.
    edge = (2.875 - 1.625) / 1.349 * (1 + math.sqrt(6 / 9))
    assert 1.5 < edge < 2
    expected = (10 + 3 + 2.5 + 2) / (1.5 + 1) / 10
    assert spectrum.signal_to_noise(with_values(values)) == pytest.approx(expected, rel=1e-5)
    assert spectrum.signal_to_noise(with_values(values).t()) == pytest.approx(expected, rel=1e-5)


def test_the_ratio_is_always_a_number() -> None:
    assert spectrum.signal_to_noise(torch.zeros(4, 5)) == 0
    assert 0 < spectrum.signal_to_noise(torch.eye(4)) < math.inf


@pytest.mark.parametrize("shape", [(40, 60), (60, 40), (30, 30)])
def test_singular_values_are_those_of_the_decomposition(shape) -> None:
    torch.manual_seed(0)
    weight = torch.randn(shape)
    expected = torch.linalg.svdvals(weight.double()).flip(0)
    torch.testing.assert_close(spectrum.singular_values(weight), expected, rtol=1e-6, atol=1e-6)


def test_structure_has_a_higher_ratio_than_noise() -> None:
    torch.manual_seed(0)
    noise = torch.randn(80, 120)
    signal = noise + 8 * torch.randn(80, 4) @ torch.randn(4, 120)
    loose, clear = (torch.linalg.svdvals(matrix) for matrix in (noise, signal))
    assert spectrum.signal_to_noise(signal) * float(clear[0]) > spectrum.signal_to_noise(noise) * float(loose[0])


def test_the_highest_ratios_of_each_kind_move(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    ratios = {
        name: spectrum.signal_to_noise(part.weight)
        for name, part in network.named_modules()
        if isinstance(part, torch.nn.Linear) and name != "lm_head"
    }
    method = Spectrum(share=0.5)
    method.attach(network)
    expected = set()
    for kind in ("self_attn.q", "self_attn.k", "self_attn.v", "self_attn.o", "mlp.gate", "mlp.up", "mlp.down"):
        names = [f"model.layers.{block}.{kind}_proj" for block in range(2)]
        expected.add(max(names, key=lambda name: ratios[name]) + ".weight")
    assert set(method.trainable(network)) == expected
    (note,) = method.notes(network)
    assert note.startswith("signal to noise of 14 linear weights in ")
    best = max(("model.layers.0.mlp.up_proj", "model.layers.1.mlp.up_proj"), key=lambda name: ratios[name])
    assert f"mlp.up_proj: block {best.split('.')[2]} ({ratios[best]:.3g})" in note


def test_a_skeleton_counts_what_a_network_will_train(tiny_model) -> None:
    counts = []
    for network in (tiny_model.skeleton(), tiny_model.network(torch.float32)):
        method = Spectrum(share=0.5)
        method.attach(network)
        counts.append(sum(weight.numel() for weight in method.trainable(network).values()))
    assert counts[0] == counts[1]


def test_an_encoder_and_its_decoder_are_ranked_apart() -> None:
    network = ARCHITECTURES["T5"].build()
    method = Spectrum(share=0.5, kinds=["SelfAttention.q"])
    method.attach(network)
    moving = [name.partition(".")[0] for name in method.trainable(network)]
    assert sorted(moving) == ["decoder", "encoder"]
    assert "decoder.block: layer.*.SelfAttention.q: block" in method.notes(network)[0]


def test_kinds_and_patterns_choose(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    method = Spectrum(share=1.0, kinds=["q_proj", "mlp.up_proj"], names=["model.norm.weight"])
    method.attach(network)
    kinds = sorted(name.split(".")[-2] for name in method.trainable(network))
    assert kinds == ["norm", "q_proj", "q_proj", "up_proj", "up_proj"]


def test_a_kind_that_is_none_suggests_the_nearest(tiny_model) -> None:
    with pytest.raises(RecipeError, match="did you mean: q_proj"):
        Spectrum(kinds=["q_prj"]).attach(tiny_model.network(torch.float32))


def test_a_large_weight_is_computed_once(own_cache, monkeypatch) -> None:
    torch.manual_seed(0)
    weight = torch.randn(300, 300, dtype=torch.bfloat16)
    first = spectrum.kept_signal_to_noise(weight)
    monkeypatch.setattr(spectrum, "signal_to_noise", lambda weight: pytest.fail("computed again"))
    assert spectrum.kept_signal_to_noise(weight.clone()) == first
    assert len(list((own_cache / "spectra").glob("*/ratio.json"))) == 1


@pytest.fixture
def tuned(dataset, tiny_model, environment, tmp_path):
    section = TuneSection.model_validate(
        {"method": {"spectrum": {"share": 0.5}}, "learning_rate": 1e-2, "steps": 2, "batch": 4}
    )
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir()
    return tune(section, dataset, tiny_model, environment.model_copy(update={"precision": "bfloat16"}), entry)


def test_the_saved_choice_is_what_is_loaded(tuned, tiny_model) -> None:
    kept = json.loads((tuned.weights / "spectrum.json").read_text())
    assert len(kept["ratios"]) == 14
    network = tuned.network(tiny_model, torch.float32)
    moving = {name.removesuffix(".weight") for name in tuned.chosen_method().trainable(network)}
    assert moving == set(kept["chosen"])
    # Another choice in the file is taken, whatever the weights would say.
    other = ["model.layers.0.mlp.up_proj"]
    (tuned.weights / "spectrum.json").write_text(json.dumps({**kept, "chosen": other}))
    network = tuned.network(tiny_model, torch.float32)
    assert list(tuned.chosen_method().trainable(network)) == ["model.layers.0.mlp.up_proj.weight"]


def test_a_choice_of_another_network_is_refused(tuned, tiny_model) -> None:
    kept = json.loads((tuned.weights / "spectrum.json").read_text())
    (tuned.weights / "spectrum.json").write_text(json.dumps({**kept, "chosen": ["model.layers.9.mlp.up_proj"]}))
    with pytest.raises(ModelError, match=r"no layer model.layers.9.mlp.up_proj(.|\n)*base model"):
        tuned.network(tiny_model, torch.float32)
