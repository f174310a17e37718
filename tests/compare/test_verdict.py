"""The statistics between variants by hand, what a search chooses, and the sentences that follow."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sevenfold.compare import between
from sevenfold.compare.process import Failure
from sevenfold.compare.search import Tried, choose, lowest
from sevenfold.compare.verdict import judge, listed
from sevenfold.evaluate.metrics import METRICS

LOSS = METRICS.find("loss")()


def rows(values, weights=None, metric="loss"):
    weights = weights or [1.0] * len(values)
    return [
        {
            "row": index,
            "origin": f"rows.jsonl:{index + 1}",
            "reference": "the answer",
            "weights": {metric: weight},
            "tuned": {"values": {metric: value}},
        }
        for index, (value, weight) in enumerate(zip(values, weights, strict=True))
    ]


def test_two_variants_are_compared_as_a_model_with_its_base() -> None:
    draw = np.random.default_rng(3)
    first, gain = draw.normal(2, 0.5, 40), draw.normal(-0.1, 0.2, 40)
    weights = [float(1 + index % 5) for index in range(40)]
    found = between.against("loss", LOSS, rows(first, weights), rows(first + gain, weights), 17, 20_000, 0.95)
    # By hand: the weighted mean of the rows' differences, its spread over rows drawn anew, and the plain interval.
    share = np.array(weights) / sum(weights)
    assert found.difference == pytest.approx(float((share * gain).sum()))
    taken = np.random.default_rng(1).integers(0, 40, (20_000, 40))
    drawn = (np.array(weights)[taken] * gain[taken]).sum(1) / np.array(weights)[taken].sum(1)
    assert found.interval == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.01)
    assert found.better == "yes"
    back = between.against("loss", LOSS, rows(first + gain, weights), rows(first, weights), 17, 20_000, 0.95)
    assert back.difference == pytest.approx(-found.difference)
    assert back.better == "no"


def test_several_comparisons_hold_together() -> None:
    assert between.together(0.95, 1) == pytest.approx(0.95)
    assert between.together(0.95, 5) == pytest.approx(0.99)
    # Variants that differ by chance alone: with eight of them the best one is seldom called clearly better than all.
    draw, wrong = np.random.default_rng(5), 0
    for trial in range(60):
        values = draw.normal(2, 0.5, (9, 30))
        best = values.mean(1).argmin()
        others = [index for index in range(9) if index != best]
        found = [
            between.against("loss", LOSS, rows(values[best]), rows(values[i]), trial, 1000, between.together(0.95, 8))
            for i in others
        ]
        wrong += sum(one.better == "no" for one in found) > 2
    assert wrong <= 6


def test_what_cannot_be_compared_says_why() -> None:
    first = rows([1.0, 2.0])
    assert between.difference("loss", first, rows([3.0, 1.0])) is None
    assert between.difference("loss", first, rows([3.0])) == "they answered other rows"
    assert "counts tokens" in str(between.difference("loss", first, rows([3.0, 1.0], [1.0, 5.0])))
    assert "was not measured" in str(between.difference("chrf", first, first))


def test_a_search_takes_the_lowest_loss_and_tells_edges() -> None:
    tried = [Tried({"tune.learning_rate": rate}, loss) for rate, loss in ((1e-4, 2.0), (3e-4, 1.5), (1e-3, 1.6))]
    assert choose(tried).chosen == {"tune.learning_rate": 3e-4}
    assert choose(tried).edges == {}
    assert choose(tried[1:]).edges == {"tune.learning_rate": "lowest"}
    assert choose(tried[:2]).edges == {"tune.learning_rate": "highest"}
    failed = Tried({"tune.learning_rate": 1.0}, failure=Failure("the loss is not a number", "TrainingError"))
    assert choose([failed, Tried({"tune.learning_rate": 2.0}, math.nan)]).chosen is None
    assert choose([failed, *tried]).chosen == {"tune.learning_rate": 3e-4}
    assert choose([Tried({"tune.method": "full"}, 1.0), Tried({"tune.method": "lora"}, 2.0)]).edges == {}


def test_the_base_is_no_result_of_a_search() -> None:
    assert lowest({"0": 1.0, "10": 3.0, "20": 2.0}) == 2.0
    assert lowest({"0": 1.0}) is None


def compared(difference, interval, better, detectable=0.05, rows=64):
    return {
        "difference": difference,
        "interval": interval,
        "better": better,
        "confidence": 0.975,
        "rows": rows,
        "detectable": detectable,
    }


def done(name, loss, better="yes", seconds=100.0, memory=2e9, size=5e8, **more):
    gain = {"base": 3.0, "tuned": loss, "direction": "lower", "unit": "nats per token"}
    gain |= compared(loss - 3.0, [loss - 3.1, loss - 2.9], better)
    return {
        "name": name,
        "seconds": seconds,
        "peak_memory_bytes": memory,
        "size_bytes": size,
        "available": 200,
        "metrics": {"loss": gain},
        "forgetting": None,
        "curve": {"verdict": "healthy"},
        **more,
    }


def test_the_cheaper_one_is_taken_where_rows_do_not_tell() -> None:
    full, lora = done("full", 2.0), done("lora", 2.02, seconds=40.0, memory=1e9, size=2e7)
    prompt = done("prompt", 2.6, seconds=10.0)
    against = {"lora": compared(0.02, [-0.01, 0.05], "unclear"), "prompt": compared(0.6, [0.5, 0.7], "no")}
    found = judge([full, lora, prompt], against, "loss", "time")
    assert (found.word, found.tone, found.take, found.best, found.level) == (
        "Take lora",
        "good",
        "lora",
        "full",
        ["lora"],
    )
    assert "full has the best loss, 2, where its base has 3. These 64 rows do not tell it from lora." in found.summary
    assert (
        "lora needs the least time of training: 40 s of training for 1 min 40 s, 1 GB of memory for 2 GB"
        in found.summary
    )
    text = "\n".join(found.reasons)
    assert "lora is not told from full: loss +0.02 (−0.01 to +0.05)" in text
    assert "prompt is clearly worse than full: loss +0.6 (+0.5 to +0.7)" in text
    assert "97.5% each, so that all 2 hold together" in text
    # 0.02 apart where 0.05 shows: (0.05 / 0.02)^2 as many rows.
    assert "about 400 rows would show (evaluate.rows; the split has 200)" in found.changes[0]
    assert found.changes[-1].startswith("Another seed")


def test_the_best_is_taken_where_nothing_is_clearly_cheaper() -> None:
    against = {"b": compared(0.01, [-0.1, 0.1], "unclear")}
    found = judge([done("a", 2.0), done("b", 2.01, seconds=95.0)], against, "loss", "time")
    assert (found.take, found.level) == ("a", ["b"])
    assert "none needs clearly less time of training" in found.summary
    assert judge([done("a", 2.0), done("b", 2.01, memory=1e9)], against, "loss", "memory").take == "b"


def test_the_best_alone() -> None:
    found = judge([done("a", 2.0), done("b", 2.5)], {"b": compared(0.5, [0.4, 0.6], "no")}, "loss", "time")
    assert (found.word, found.level) == ("Take a", [])
    assert "clearly worse on these 64 rows" in found.summary


def test_few_rows_do_not_make_a_useless_variant_level() -> None:
    against = {"b": compared(0.9, [-0.1, 1.9], "unclear")}
    found = judge([done("a", 2.0), done("b", 2.9, better="unclear", seconds=1.0)], against, "loss", "time")
    assert (found.take, found.level) == ("a", [])
    assert any("b is not told from a" in line and "not from its base either" in line for line in found.reasons)


def test_none_is_better_than_the_base() -> None:
    found = judge([done("a", 2.9, better="unclear")], {}, "loss", "time")
    assert (found.word, found.tone, found.take) == ("None is clearly better than the base", "unsure", None)
    assert "no clear difference" in found.summary
    assert "a and its base are 0.1 apart" in found.changes[0]


def test_what_would_change_it_names_budgets_edges_and_forgetting() -> None:
    lost = {"verdict": "much lost", "comparison": {"difference": 0.31}}
    kept = {"verdict": "kept", "comparison": {"difference": 0.01}}
    one = done("a", 2.0, edges={"tune.learning_rate": "highest"}, forgetting=lost)
    two = done("b", 2.5, forgetting=kept)
    one["curve"], two["curve"] = {"verdict": "underfit"}, {"verdict": "overfit"}
    found = judge([one, two], {"b": compared(0.5, [0.4, 0.6], "no")}, "loss", "time")
    changes = "\n".join(found.changes)
    assert "More steps: a was still learning at the end." in changes
    assert "b overfitted" in changes
    assert "A higher tune.learning_rate for a: the search chose the highest that it tried." in changes
    assert "General text, much lost: a (+0.31) nats per token." in found.reasons
    assert "General text, kept: b (+0.01) nats per token." in found.reasons


def test_another_metric_that_sees_it_otherwise_is_told() -> None:
    one, two = done("a", 2.0), done("b", 2.5)
    for each, better, value in ((one, "unclear", 20.0), (two, "yes", 30.0)):
        found = compared(value - 20.0, [0.0, 1.0], better)
        each["metrics"]["chrf"] = {"base": 20.0, "tuned": value, "direction": "higher", **found}
    verdict = judge([one, two], {"b": compared(0.5, [0.4, 0.6], "no")}, "loss", "time")
    assert "By chrf, b is better than the base and a is not clearly: 30 and 20." in verdict.reasons


def test_an_unfinished_comparison_says_so() -> None:
    assert judge([], {}, "loss", "time", 3).word == "Nothing to compare yet"
    found = judge([done("a", 2.0)], {}, "loss", "time", 2)
    assert (found.word, found.tone) == ("So far: take a", "unsure")


def test_lists_read_as_sentences() -> None:
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
