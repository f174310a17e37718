"""Distillation: the loss is the paper's, the teacher is asked in its own way, and its answers are learnt."""

from __future__ import annotations

import math
import shutil

import pytest
import torch

from sevenfold.errors import DataError, ModelError, RecipeError
from sevenfold.load.model import Model
from sevenfold.record import Entry
from sevenfold.tune import accumulate
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import pack, passes
from sevenfold.tune.engine.unled import unled
from sevenfold.tune.objectives.distill import Distill
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build, tune


@pytest.fixture
def sequences(tiny_pupil, dataset):
    rows = dataset.head("train", 5)
    return [one for row in rows for one in Distill().sequences(row, tiny_pupil.encoder())]


def forward_for(objective: Distill, model) -> Forward:
    forward = Forward(model.network(torch.float32), torch.float32)
    forward.own = objective.own(forward.network, model)
    return forward


@pytest.mark.parametrize("divergence", ["forward", "reverse", "jsd"])
def test_the_loss_is_that_of_two_plain_networks(divergence, tiny_pupil, sequences) -> None:
    objective = Distill(divergence=divergence, beta=0.3, temperature=2.0, share=0.7)
    found, figures = accumulate.mean(forward_for(objective, tiny_pupil), objective, passes(sequences, 60))
    student, teacher = tiny_pupil.network(torch.float32), tiny_pupil.teacher_model().network(torch.float32)
    known = tiny_pupil.teacher.shared - len(tiny_pupil.teacher.apart)
    distance, nll, weight = 0.0, 0.0, 0.0
    for sequence in sequences:
        ids = torch.tensor([sequence.ids])
        with torch.no_grad():
            own = student(ids).logits[0]
            log_q = torch.log_softmax(own[:, :known] / 2, -1)
            log_p = torch.log_softmax(teacher(ids).logits[0, :, :known] / 2, -1)
        p, q = log_p.exp(), log_q.exp()
        mixed = (0.3 * p + 0.7 * q).log()
        by_place = {
            "forward": (p * (log_p - log_q)).sum(-1),
            "reverse": (q * (log_q - log_p)).sum(-1),
            "jsd": 0.3 * (p * (log_p - mixed)).sum(-1) + 0.7 * (q * (log_q - mixed)).sum(-1),
        }[divergence]
        for place, one in enumerate(sequence.weights):
            if one:
                distance += 4 * float(by_place[place - 1])
                nll -= float(torch.log_softmax(own[place - 1], -1)[sequence.ids[place]])
                weight += 1
    assert figures == pytest.approx({"distance": distance / weight, "nll": nll / weight}, rel=1e-4)
    assert found == pytest.approx(0.7 * distance / weight + 0.3 * nll / weight, rel=1e-4)


def test_virtual_tokens_are_not_the_teachers(tiny_pupil, dataset) -> None:
    rows, encoder = dataset.head("train", 4), tiny_pupil.encoder()
    plain = pack([one for row in rows for one in Distill().sequences(row, encoder)])
    led = pack([one for row in rows for one in Distill().sequences(row, tiny_pupil.encoder([400, 401]))])
    found = unled(led, 400)
    assert found.bounds == plain.bounds
    for name in ("ids_1T", "positions_1T", "sources_N", "labels_N"):
        assert torch.equal(getattr(found, name), getattr(plain, name)), name
    assert unled(plain, 400) is plain


def test_virtual_tokens_of_branches(tiny_pupil) -> None:
    from sevenfold.chat.encoder import TokenSequence

    plain = TokenSequence([5, 6, 7], [0.0, 0.0, 0.0])
    plain.branch([8, 9], 1.0)
    plain.branch([10], 1.0)
    found, expected = unled(pack([plain.led([400, 401])] * 2), 400), pack([plain] * 2)
    assert found.bounds == expected.bounds
    for name in ("ids_1T", "positions_1T", "sources_N"):
        assert torch.equal(getattr(found, name), getattr(expected, name)), name


def test_the_student_comes_nearer_to_the_teacher(tiny_pupil, dataset, environment, tmp_path) -> None:
    section = TuneSection.model_validate(
        {"objective": {"distill": {"share": 1.0}}, "method": "full", "learning_rate": 3e-3, "batch": 5, "steps": 30}
    )
    tuned = tune(section, dataset, tiny_pupil, environment, Entry(tmp_path / "4-tune"))
    distances = [figures["distance"] for figures in tuned.validation_figures.values()]
    assert min(distances) < 0.8 * distances[0]


def test_a_teacher_costs_memory_that_the_plan_counts(tiny_pupil) -> None:
    teacher = tiny_pupil.teacher_model()
    assert Distill().beside_bytes(tiny_pupil, torch.bfloat16) == 2 * teacher.card.parameters
    assert Distill(share=0, replies="teacher").beside_bytes(tiny_pupil, torch.bfloat16) == 0


def test_nothing_learnt_from_a_teacher_is_refused() -> None:
    with pytest.raises(RecipeError, match="nothing is learnt from a teacher"):
        Distill(share=0).check(TuneSection())


def test_no_teacher_is_refused(tiny_model, environment) -> None:
    section = TuneSection.model_validate({"objective": "distill"})
    with pytest.raises(ModelError, match="there is no teacher"):
        build(section, tiny_model, environment)


def test_a_vocabulary_of_another_family_is_refused(tiny_pupil, environment) -> None:
    other = tiny_pupil.teacher.model_copy(update={"refusal": "2 ids of text mean other tokens to both"})
    model = tiny_pupil.model_copy(update={"teacher": other})
    model._folder = tiny_pupil.folder
    with pytest.raises(ModelError, match="2 ids of text") as caught:
        build(TuneSection.model_validate({"objective": "distill"}), model, environment)
    assert "replies: teacher" in caught.value.next_step


@pytest.fixture
def terse_pupil(tiny_pupil, tmp_path):
    """A pupil whose teacher ends its answers: every ninth token ends one."""
    shutil.copytree(tiny_pupil.folder, tmp_path / "2-load")
    model = Model.open(tmp_path / "2-load")
    teacher = model.teacher_model()
    teacher.stop_ids = list(range(2, 400, 9))
    teacher.save(teacher.folder)
    return model


def test_the_teachers_answers_are_learnt(terse_pupil, dataset, environment, tmp_path) -> None:
    entry = Entry(tmp_path / "4-tune")
    objective = Distill(replies="teacher", share=0, longest=40)
    made = objective.taught(dataset, terse_pupil, environment, entry)
    assert 0 < made.counts["train"] <= 20
    before = {row.origin: row for row in dataset.rows("train")}
    for row in made.rows("train"):
        *asked, answer = row.conversation.messages
        assert [m.content for m in asked] == [m.content for m in before[row.origin].conversation.prompt()]
        assert (answer.role, answer.weight) == ("assistant", 1.0)
        assert all(message.weight == 0 for message in asked)
    # What is written is not asked again.
    path = entry.folder / "written" / "train.jsonl"
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole[: len(whole) // 2], encoding="utf-8")
    objective.taught(dataset, terse_pupil, environment, entry)
    assert path.read_text(encoding="utf-8") == whole


def test_a_loss_by_hand() -> None:
    from types import SimpleNamespace

    batch = SimpleNamespace(weights_N=torch.tensor([1.0, 0.5]))
    outputs = torch.tensor([[-math.log(2), 0.3], [-math.log(4), 0.1]])
    # 0.25 (0.3 + 0.5 * 0.1) + 0.75 (ln 2 + 0.5 ln 4)
    expected = 0.25 * 0.35 + 0.75 * (math.log(2) + math.log(2))
    assert float(Distill(share=0.25).loss(outputs, batch)) == pytest.approx(expected, rel=1e-6)


def test_a_teacher_that_never_ends_is_told(tiny_pupil, dataset, environment, tmp_path) -> None:
    with pytest.raises(DataError, match="ended none of its answers within 4 tokens"):
        Distill(replies="teacher", longest=4).taught(dataset, tiny_pupil, environment, Entry(tmp_path / "4-tune"))
