"""A judge among the rewards: its share of the scale, several at a time, and failures that are counted."""

from __future__ import annotations

import pytest

from sevenfold.errors import RecipeError
from sevenfold.schema import Chosen
from sevenfold.tune.rewarding import Judges
from sevenfold.tune.rewards import REWARDS, Answered
from tests.generate.judging import service


def answered(*answers: str) -> list[Answered]:
    return [Answered(({"role": "user", "content": "2 + 2?"},), answer, "4") for answer in answers]


def says(question: str) -> tuple[int, str, None]:
    """The best score for a right answer, the worst for a wrong one, a word for none."""
    answer = question.partition("<answer>\n")[2].partition("\n</answer>")[0]
    return 200, {"4": "9", "": "nothing"}.get(answer, "1"), None


def test_scores_become_rewards_in_the_order_of_the_answers() -> None:
    with service(says) as found:
        reward = Chosen(REWARDS).choose({"judge": {"model": "m", "address": found.address, "weight": 2}})
        judged = Judges([reward]).judge(answered("4", "5", "", "4", *["5"] * 20))
    assert judged.totals == [2, 0, 0, 2, *[0] * 20]
    assert list(judged.failures.values()) == [1]
    assert "'nothing'" in next(iter(judged.failures))


def test_a_scale_needs_two_scores() -> None:
    with pytest.raises(RecipeError, match="has to be below"):
        Chosen(REWARDS).choose({"judge": {"model": "m", "lowest": 5, "highest": 5}})
