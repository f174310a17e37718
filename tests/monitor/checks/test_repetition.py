import pytest

from sevenfold.monitor.checks.repetition import Repetition, ends_in_a_loop, repeated_runs
from tests.monitor import made

LOOPS = [
    "It returns the value. " + "The value is the value of the list. " * 6,
    "x = 1\n" + "ha" * 40,
    "جواب این است: " + "می‌روم و می‌آیم و " * 8,
    " ".join(f"{n}. The function returns the sum of all the values in the given list." for n in range(12)),
    "同じ文が続きます。" * 10,
]


@pytest.mark.parametrize("answer", LOOPS)
def test_loops_are_seen(answer):
    assert Repetition().loops(answer)


def test_human_documentation_is_almost_never_a_loop():
    texts = [text for _, text in made.documented()]
    assert len(texts) > 1000
    assert sum(map(Repetition().loops, texts)) / len(texts) < 0.005


@pytest.mark.parametrize("answer", ["No, no, no!", "-" * 30, "1 2 3 4 5 6 7 8 9", "", "and so on ..."])
def test_short_repetition_is_no_loop(answer):
    assert not Repetition().loops(answer)


def test_planted_loops_are_found_and_single_ones_are_not():
    check = Repetition()
    assert check.judge(made.window(100, bad=10, answer=LOOPS[0]), made.baseline([])).verdict == "alarm"
    assert check.judge(made.window(100, bad=2, answer=LOOPS[0]), made.baseline([])).verdict == "ok"


def test_repeated_runs_is_one_minus_distinct_over_all():
    assert repeated_runs(["a", "b", "c", "d", "a", "b", "c", "d"]) == pytest.approx(1 - 4 / 5)
    assert repeated_runs(["a"]) == 0


def test_the_end_counts_and_not_the_middle():
    assert ends_in_a_loop("ab" * 30, 4, 40)
    assert not ends_in_a_loop("ab" * 30 + " and then it ended", 4, 40)
