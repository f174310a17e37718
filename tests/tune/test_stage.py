"""The stage ``tune`` as a whole, on the tiny model."""

from __future__ import annotations

import json

import pytest
import torch

from sevenfold.errors import DataError, RecipeError, TrainingError
from sevenfold.record import Entry
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune


@pytest.mark.parametrize("method", ["lora", "full"])
def test_training_lowers_the_loss_and_reloads(method, dataset, tiny_model, environment, tmp_path) -> None:
    section = TuneSection.model_validate(
        {"method": method, "learning_rate": 1e-2, "epochs": 3, "batch": 4, "tokens_per_pass": 100}
    )
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir()
    tuned = tune(section, dataset, tiny_model, environment, entry)

    assert tuned.steps == 15
    assert len(tuned.losses) == len(tuned.history()) == 15
    assert min(tuned.validation_losses.values()) < 0.8 * tuned.validation_losses[0]
    assert tuned.tokens == 3 * entry.record.metrics["train_tokens"]

    ids = torch.tensor([[1, 5, 9, 2, 30]])
    with torch.no_grad():
        base = tiny_model.network(torch.float32)(ids).logits
        loaded = tuned.network(tiny_model, torch.float32)(ids).logits
        merged = tuned.merged(tiny_model, torch.float32)(ids).logits
    assert (loaded - base).abs().max() > 0.1
    torch.testing.assert_close(merged, loaded, atol=1e-4, rtol=1e-4)


def test_best_weights_are_kept(dataset, tiny_model, environment, tmp_path) -> None:
    section = TuneSection.model_validate({"learning_rate": 0.05, "steps": 12, "batch": 4, "validate_every": 2})
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir()
    tuned = tune(section, dataset, tiny_model, environment, entry)
    trained = {step: loss for step, loss in tuned.validation_losses.items() if step}
    assert tuned.best_step == min(trained, key=trained.get)


def test_overlong_rows_are_counted_and_listed(dataset, tiny_model, environment, tmp_path) -> None:
    section = TuneSection.model_validate({"steps": 1, "max_length": 60})
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir()
    tune(section, dataset, tiny_model, environment, entry)
    listed = json.loads((entry.folder / "encoded" / "train.overlong.json").read_text())
    assert listed
    assert all(length > 60 for _, length in listed)
    assert entry.record.metrics["train_rows"] == 20 - len(listed)
    assert any(f"{len(listed)} train rows are over tune.max_length = 60" in note for note in entry.record.notes)


def test_overlong_rows_can_be_refused_with_their_origin(dataset, tiny_model, environment, tmp_path) -> None:
    section = TuneSection.model_validate({"steps": 1, "max_length": 60, "overlong": "refuse"})
    with pytest.raises(DataError, match=r"made:\d+"):
        tune(section, dataset, tiny_model, environment, Entry(tmp_path / "4-tune"))


def test_a_length_over_the_context_is_refused(dataset, tiny_model, environment, tmp_path) -> None:
    section = TuneSection.model_validate({"max_length": 1024})
    with pytest.raises(RecipeError, match="at most 512 tokens"):
        tune(section, dataset, tiny_model, environment, Entry(tmp_path / "4-tune"))


def test_divergence_stops_with_a_saved_state(dataset, tiny_model, environment, tmp_path) -> None:
    section = TuneSection.model_validate(
        {"method": "full", "learning_rate": 1e30, "steps": 20, "clip": 1e30, "schedule": {"constant": {"warmup": 0}}}
    )
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir()
    with pytest.raises(TrainingError, match=r"not a number|jumped") as caught:
        tune(section, dataset, tiny_model, environment, entry)
    assert "rows: made:" in str(caught.value)
    assert list((entry.folder / "checkpoints").glob("step-*"))
