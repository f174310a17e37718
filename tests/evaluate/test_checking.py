"""Checks: asked of both models while they are open, compared item by item, kept for a run that goes on."""

from __future__ import annotations

import json
import math

import pytest

from sevenfold.evaluate.examined import Examined, Figure, Weighing, compared
from sevenfold.evaluate.section import EvaluateSection
from sevenfold.evaluate.stage import evaluate
from sevenfold.record import Entry
from tests.evaluate.rows import TASK, dataset_of, lines

CHECK = '''
from sevenfold.chat.conversation import Message
from sevenfold.evaluate.checks import Check
from sevenfold.evaluate.examined import Examined, Figure

class Echo(Check):
    """Whether a model says what it was taught."""
    title = "Echo"

    def figures(self):
        return [Figure("taught", "share of answers that are the taught one", binary=True), Figure("loss", "", "lower")]

    def examine(self, subject):
        asked = {f"q{n}": (Message("user", f"the data {n}"),) for n in range(8)}
        said = subject.answers(asked, max_new_tokens=6)
        loss = subject.likelihoods({key: subject.reply(one, "the answer") for key, one in asked.items()})
        items = [{"asked": one[0].content, "said": said[key]["text"], "group": "even" if n % 2 == 0 else "odd"}
                 for n, (key, one) in enumerate(asked.items())]
        right = [float(one["said"] == "the answer") for one in items]
        return Examined(items, {"taught": right, "loss": [one.nll / one.tokens for one in loss.values()]})
'''


@pytest.fixture
def parts(tmp_path, tiny_model, environment, tuned):
    (tmp_path / "5-evaluate").mkdir()
    (tmp_path / "echo.py").write_text(CHECK)
    dataset = dataset_of(tmp_path / "1-prepare", test=TASK)
    return dataset, tiny_model, environment, tuned, Entry(tmp_path / "5-evaluate")


def section(tmp_path):
    return EvaluateSection(checks=[{"file": str(tmp_path / "echo.py")}], metrics=["loss"], resamples=1000)


def test_a_check_compares_both_models_item_by_item_and_group_by_group(parts, tmp_path):
    found = evaluate(section(tmp_path), *parts).checks
    (name,) = found
    assert found[name]["title"] == "Echo"
    taught = found[name]["comparisons"]["taught"]
    assert (taught["base"], taught["tuned"], taught["better"], taught["rows"]) == (0.0, 1.0, "yes", 8)
    assert found[name]["comparisons"]["loss"]["better"] == "yes"
    assert {group: one["taught"]["rows"] for group, one in found[name]["groups"].items()} == {"even": 4, "odd": 4}
    assert "taught 0 to 1 (better)" in found[name]["said"]
    written = lines(parts[-1].folder / "checks" / f"{name}.jsonl")
    assert [line["tuned"]["said"] for line in written] == ["the answer"] * 8
    assert written[0]["base"]["values"]["taught"] == 0.0


def test_what_was_asked_is_not_asked_again(parts, tmp_path):
    chosen = section(tmp_path)
    folder = parts[-1].folder
    evaluate(chosen, *parts)
    before = {name: (folder / f"{name}.jsonl").read_text() for name in ("base", "tuned")}
    evaluate(chosen, *parts)
    assert {name: (folder / f"{name}.jsonl").read_text() for name in ("base", "tuned")} == before
    assert sum(" q" in json.loads(line)["key"] for line in before["base"].splitlines()) == 16


def test_items_that_a_figure_is_not_about_do_not_count():
    weighing = Weighing(0, 1000, 0.95)
    base = Examined([{}] * 10, {"a": [0.0] * 8 + [math.nan] * 2, "b": [math.nan] * 10})
    tuned = Examined([{}] * 10, {"a": [1.0] * 7 + [math.nan] + [1.0] * 2, "b": [1.0] * 10})
    found = compared("A", [Figure("a", ""), Figure("b", "")], base, tuned, weighing)
    assert list(found.comparisons) == ["a"]
    assert found.comparisons["a"].rows == 7
