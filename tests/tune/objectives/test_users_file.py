"""A user's own objective in a file: its run is trained, evaluated and served, and the file is part of its identity."""

from __future__ import annotations

import pytest
import yaml

from sevenfold.recipe import Recipe
from sevenfold.registry import file_of
from sevenfold.tune.objectives import OBJECTIVES
from sevenfold.tune.tuned import Tuned
from tests import whole

FOCAL = '''"""Tokens that the model is sure of count less."""

from pydantic import Field

from sevenfold.tune.objectives import Objective


class Focal(Objective):
    gamma: float = Field({gamma}, ge=0, description="How much less.")

    def sequences(self, row, encoder):
        return encoder.sequences(row.conversation)

    def loss(self, outputs, batch):
        return -(batch.weights_N * (1 - outputs.detach().exp()) ** self.gamma * outputs).sum()
'''


@pytest.fixture
def place(tiny_weights, tmp_path, monkeypatch):
    """A folder with rows, an objective in a file, and a recipe that names it."""
    monkeypatch.chdir(tmp_path)
    whole.write_rows(tmp_path / "rows.jsonl")
    (tmp_path / "focal.py").write_text(FOCAL.format(gamma=2.0))
    whole.write_recipe(tmp_path, tiny_weights, tune={"objective": {"file": "focal.py", "gamma": 1.0}})
    return tmp_path


def test_a_run_is_trained_evaluated_and_served_without_the_file(place) -> None:
    assert whole.sevenfold("tune", "small.yaml").code == 0
    tuned = Tuned.open(place / "runs/small/4-tune")
    assert tuned.objective == {"file": "own/objective/focal.py", "gamma": 1.0}
    (place / "focal.py").write_text("raise RuntimeError('this is not what was trained')")
    again = Tuned.open(place / "runs/small/4-tune").chosen_objective()
    assert (type(again).__name__, again.gamma) == ("Focal", 1.0)
    (place / "focal.py").write_text(FOCAL.format(gamma=2.0))
    called = whole.sevenfold("run", "small.yaml", "--json")
    assert called.code == 0, called.err
    assert all(proof["passed"] for proof in called.json["proofs"])


REWARD = """from sevenfold.tune.rewards import Reward


class Own(Reward):
    def value(self, answered):
        return {worth}
"""


def test_files_of_rewards_are_kept_too(place) -> None:
    """Two of one name, chosen inside of an objective that comes along."""
    for folder, worth in (("one", "len(answered.answer)"), ("other", "answered.tokens")):
        (place / folder).mkdir()
        (place / folder / "own.py").write_text(REWARD.format(worth=worth))
    files = [{"file": f"{folder}/own.py"} for folder in ("one", "other")]
    rewards = yaml.safe_dump(
        {"grpo": {"rewards": files, "max_new_tokens": 4, "answers_each": 2}}, default_flow_style=True
    )
    called = whole.sevenfold("tune", "small.yaml", "--set", f"tune.objective={rewards.strip()}")
    assert called.code == 0, called.err
    for folder in ("one", "other"):
        (place / folder / "own.py").write_text("raise RuntimeError('this is not what was trained')")
    tuned = Tuned.open(place / "runs/small/4-tune")
    kept = [reward["file"] for reward in tuned.objective["grpo"]["rewards"]]
    assert kept == ["own/objective/own.py", "own/objective/1/own.py"]
    texts = [file_of(reward).read_text() for reward in tuned.chosen_objective().rewards]
    assert ["answered.answer" in text for text in texts] == [True, False]


def test_another_text_of_the_file_is_another_identity(place) -> None:
    first = Recipe.from_file("small.yaml").tune.own_files()
    assert list(first) == [str(place / "focal.py")]
    (place / "focal.py").write_text(FOCAL.format(gamma=3.0))
    assert Recipe.from_file("small.yaml").tune.own_files() != first


def test_files_of_one_name_in_two_folders_are_two(place) -> None:
    (place / "other").mkdir()
    (place / "other" / "focal.py").write_text(FOCAL.format(gamma=5.0))
    here, there = (OBJECTIVES.from_file(path)() for path in (place / "focal.py", place / "other" / "focal.py"))
    assert (here.gamma, there.gamma) == (2.0, 5.0)
    assert [file_of(found) for found in (here, there)] == [place / "focal.py", place / "other" / "focal.py"]
    assert OBJECTIVES.name_of(there) == "focal"


def test_a_file_that_cannot_be_run_names_the_line(place) -> None:
    (place / "focal.py").write_text("import json\nnothing_like_this\n")
    called = whole.sevenfold("tune", "small.yaml")
    assert called.code == 2
    assert "NameError" in called.err
    assert "focal.py:2" in called.err
