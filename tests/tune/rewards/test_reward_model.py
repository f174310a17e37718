"""A run of a reward model as a judge."""

from __future__ import annotations

import shutil

import pytest
import torch

from sevenfold.errors import ModelError
from sevenfold.record import Entry
from sevenfold.schema import Chosen
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.rewards import REWARDS, Answered
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune
from tests.tune.objectives import made


@pytest.fixture
def run(tiny_model, environment, tmp_path):
    """The folder of a run, by its objective."""

    def trained(objective: str):
        folder = tmp_path / "runs" / objective
        shutil.copytree(tiny_model.folder, folder / "2-load")
        (folder / "4-tune").mkdir()
        dataset = made.dataset(objective, folder / "1-prepare")
        section = TuneSection.model_validate(made.section(objective))
        return folder, dataset, tune(section, dataset, tiny_model, environment, Entry(folder / "4-tune"))

    return trained


def test_it_says_what_the_reward_model_says(run, tiny_model) -> None:
    folder, dataset, tuned = run("reward")
    judge = Chosen(REWARDS).choose({"reward_model": {"run": str(folder), "middle": 0.5, "scale": 2}})
    row = dataset.head("train", 1)[0]
    network = tuned.network(tiny_model, torch.float32)
    forward = Forward(network, torch.float32)
    forward.own = tuned.own(network, tiny_model)
    objective = tuned.chosen_objective()
    with torch.no_grad():
        expected = objective.outputs(forward, pack(objective.sequences(row, tiny_model.encoder()), here=True))
    prompt = tuple(message.as_dict() for message in row.conversation.prompt())
    answers = (row.conversation.reference(), row.fields["rejected"])
    found = [judge.value(Answered(prompt, answer, "")) for answer in answers]
    assert found == pytest.approx([(float(value) - 0.5) / 2 for value in expected], abs=1e-4)


def test_other_runs_are_refused(run, tmp_path) -> None:
    folder, *_ = run("sft")
    answered = Answered(({"role": "user", "content": "?"},), "a", "")
    with pytest.raises(ModelError, match="tuned with the objective sft"):
        Chosen(REWARDS).choose({"reward_model": str(folder)}).value(answered)
    with pytest.raises(ModelError, match="no tuned run"):
        Chosen(REWARDS).choose({"reward_model": str(tmp_path)}).value(answered)
