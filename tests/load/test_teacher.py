"""A second model beside the first: found as the first is, or as a run's tuned model, and compared id by id."""

from __future__ import annotations

import json
import shutil

import pytest

from sevenfold.errors import ModelError
from sevenfold.load.model import Model
from sevenfold.load.section import LoadSection
from sevenfold.load.stage import load
from sevenfold.record import Entry
from tests import tiny


def test_a_padded_vocabulary_of_one_family_is_shared(tiny_pupil) -> None:
    known = tiny_pupil.teacher
    assert (known.shared, known.refusal, known.tuned) == (400, "", None)
    # Rows that no token of the tokenizer stands for mean nothing to either.
    assert known.apart == list(range(len(tiny_pupil.encoder().tokenizer), 400))
    again = Model.open(tiny_pupil.folder)
    assert again.teacher == known
    assert again.teacher_model().card.vocabulary == 410


def test_another_family_is_refused_with_the_first_id_that_differs(tiny_weights, tmp_path) -> None:
    other = tmp_path / "other"
    shutil.copytree(tiny_weights, other)
    path = other / "tokenizer.json"
    found = json.loads(path.read_text())
    vocabulary = found["model"]["vocab"]
    one, two = [text for text, token in vocabulary.items() if token in (50, 51)]
    vocabulary[one], vocabulary[two] = vocabulary[two], vocabulary[one]
    path.write_text(json.dumps(found))
    model = load(LoadSection(model=str(tiny_weights), teacher=str(other)), Entry(tmp_path / "2-load"))
    assert model.teacher.refusal.startswith("2 ids of text mean other tokens to both, the first is 50")


def test_a_teacher_without_a_template_is_asked_in_the_students(tiny_weights, tmp_path) -> None:
    plain = tiny.make_model(tmp_path / "plain", template=None, seed=2)
    model = load(LoadSection(model=str(tiny_weights), teacher=str(plain)), Entry(tmp_path / "2-load"))
    assert model.teacher_model().tokenizer().chat_template == tiny.CHATML
    assert not model.teacher.refusal


def test_a_runs_tuned_model_teaches(finished, tiny_weights, tmp_path) -> None:
    run = finished / "runs" / "small"
    section = LoadSection(model=str(tiny_weights), teacher=str(run))
    model = load(section, Entry(tmp_path / "2-load"))
    assert model.teacher.tuned == run.resolve() / "4-tune"
    assert model.teacher_model().weights == tiny_weights
    assert section.outside()["teacher"] != LoadSection(teacher=str(tiny_weights)).outside()["teacher"]


def test_a_run_that_is_not_trained_says_what_to_do(finished, tiny_weights, tmp_path) -> None:
    shutil.copytree(finished / "runs" / "small", tmp_path / "small")
    shutil.rmtree(tmp_path / "small" / "4-tune")
    with pytest.raises(ModelError, match="'small' has no stage 'tune' yet") as caught:
        load(LoadSection(model=str(tiny_weights), teacher=str(tmp_path / "small")), Entry(tmp_path / "2-load"))
    assert "sevenfold tune" in caught.value.next_step


def test_without_a_teacher_nothing_of_one_is_kept(tiny_weights, tmp_path) -> None:
    section = LoadSection(model=str(tiny_weights))
    assert load(section, Entry(tmp_path / "2-load")).teacher is None
    assert set(section.outside()) == {"model", "template"}
