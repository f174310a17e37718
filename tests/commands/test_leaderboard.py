"""The leaderboard: who is ranked with whom, and how."""

from __future__ import annotations

import json

import pytest

from sevenfold.commands import leaderboard
from sevenfold.errors import RecipeError
from tests.whole import sevenfold


def comparison(base, tuned, direction="lower"):
    return {
        "base": base, "tuned": tuned, "difference": tuned - base, "interval": [-1.0, 1.0], "confidence": 0.95,
        "direction": direction, "better": "unclear", "rows": 2,
    }  # fmt: skip


def write(folder, tuned, asked="the same", clean=0.5, general="own"):
    place = folder / "5-evaluate"
    place.mkdir(parents=True)
    check = {
        "comparisons": {"toxicity.clean": comparison(0.5, clean, "higher")},
        "more": {"digest": "all", "digests": {"toxicity": "tox"}},
    }
    result = {
        "metrics": {"loss": comparison(3.0, tuned)},
        "forgetting": {"passages": 30, "comparison": comparison(2.0, 2.5)},
        "checks": {"safety": check},
    }
    (place / "result.json").write_text(json.dumps(result))
    (place / "rows.jsonl").write_text(json.dumps({"prompt": [{"role": "user", "content": asked}], "reference": "r"}))
    (folder / "record.json").write_text(json.dumps({"stages": {"evaluate": {"section": {"general_text": general}}}}))


@pytest.fixture
def runs(tmp_path):
    write(tmp_path / "a", 2.0)
    write(tmp_path / "ways" / "b", 1.0, clean=0.9)
    write(tmp_path / "c", 2.0)
    write(tmp_path / "d", 0.1, asked="something easier", general="mine.txt")
    return tmp_path


def test_the_lowest_loss_is_first_and_equal_ones_share_a_place(runs):
    found = leaderboard.run(runs)
    assert found["columns"]["loss"]["ranks"] == {"ways/b": 1, "a": 2, "c": 2}
    assert found["columns"]["safety: toxicity.clean"]["ranks"] == {"ways/b": 1, "a": 2, "c": 2, "d": 2}


def test_who_was_asked_something_else_is_not_ranked_and_that_is_said(runs):
    found = leaderboard.run(runs)
    assert found["columns"]["loss"]["other_items"] == ["d"]
    assert found["columns"]["forgetting"]["other_items"] == ["d"]
    assert any(note.startswith("loss: d not ranked") for note in found["notes"])


def test_the_command_prints_json_and_writes_a_page(runs):
    called = sevenfold("leaderboard", str(runs), "--json", "--out", str(runs / "board.md"))
    assert called.code == 0, called.err
    assert json.loads(called.out)["columns"]["loss"]["ranks"]["ways/b"] == 1
    page = (runs / "board.md").read_text()
    assert "| loss | ways/b | 1 | 3" in page
    assert "| loss | d | - |" in page


def test_a_folder_without_runs_says_what_to_do(tmp_path):
    with pytest.raises(RecipeError, match="no run under"):
        leaderboard.run(tmp_path)
