"""Answers from passages: by hand, on made cases with known answers, and through a judge."""

from __future__ import annotations

import math
import re

import pytest

from sevenfold import cache
from sevenfold.errors import DataError
from sevenfold.evaluate.metrics import METRICS
from sevenfold.evaluate.metrics._grounded import sentences
from sevenfold.evaluate.metrics.chunk_attribution import ChunkAttribution
from sevenfold.evaluate.metrics.chunk_utilisation import ChunkUtilisation
from sevenfold.evaluate.metrics.completeness import Completeness
from sevenfold.evaluate.metrics.context_relevance import ContextRelevance
from sevenfold.evaluate.metrics.factuality import Factuality
from tests.evaluate.metrics.asked import question
from tests.evaluate.metrics.grounded import BLIND, pairs
from tests.generate.judging import service

LEAST = {
    "factuality": 24,
    "context_relevance": 14,
    "completeness": 23,
    "chunk_attribution": 24,
    "chunk_utilisation": 24,
}
"""Pairs that the words alone put in the right order; the figures of docs/metrics.md."""


@pytest.mark.parametrize("name", LEAST)
def test_words_alone_put_the_better_case_first(name) -> None:
    cases = [case for pair in pairs()[name] for case in pair]
    asked = [question(text, context=context) for text, context, _ in cases]
    values = METRICS.find(name)().values([answer for _, _, answer in cases], asked)
    assert all(0 <= value <= 1 + 1e-12 for value in values)
    assert sum(a > b for a, b in zip(values[::2], values[1::2], strict=True)) == LEAST[name]


def test_words_alone_hardly_see_an_opposite() -> None:
    """The limit that docs/metrics.md states."""
    asked = [question(text, context=context) for text, context, _, _ in BLIND]
    right = Factuality().values([one[2] for one in BLIND], asked)
    wrong = Factuality().values([one[3] for one in BLIND], asked)
    assert min(right) == pytest.approx(1)
    assert (round(min(wrong), 2), round(max(wrong), 2)) == (0.74, 1.0)


def one(metric, answer, context, text="") -> float:
    return metric.values([answer], [question(text, context=context)])[0]


def test_the_figures_by_hand() -> None:
    """Two passages, so a word of one weighs log 3 and a word of both log 2."""
    context, rare, common = "red house\n\nred boat", math.log(3), math.log(2)
    assert one(Factuality(), "Red boat.", context) == 1
    assert one(Factuality(), "red car", context) == pytest.approx(common / (common + rare))
    assert one(Factuality(), "red boat. green tree.", context) == 0.5
    assert one(ContextRelevance(), "", context, "red boat") == pytest.approx((common / (common + rare) + 1) / 2)
    assert one(ChunkUtilisation(), "the house", context) == pytest.approx(rare / (common + rare) / 2)
    assert one(ChunkAttribution(), "red house", context) == 0.5
    assert one(ChunkAttribution(), "Red house. Red boat.", context) == 1
    # Only "red boat" is about a boat: its share is 1, squared; the other's is that of "red".
    about = (common / (common + rare)) ** 2
    assert one(Completeness(), "red boat", context, "red boat") == pytest.approx(
        (1 + about * common / (common + rare)) / (1 + about)
    )


def test_a_number_that_the_passages_have_not_is_no_fact() -> None:
    assert one(Factuality(), "It has 43 metres.", "It has 43 metres.") == 1
    assert one(Factuality(), "It has 44 metres.", "It has 43 metres.") == 0
    assert one(Factuality(), "ارتفاع ۴۳ متر", "ارتفاع 43 متر") > 0


@pytest.mark.parametrize("name", LEAST)
def test_nothing_said_is_no_error(name) -> None:
    assert 0 <= one(METRICS.find(name)(), "", "a passage", "a question") <= 1
    assert 0 <= one(METRICS.find(name)(separator="--"), "?!", "--", "") <= 1


def test_sentences_of_several_scripts() -> None:
    assert sentences("One 3.5 m. Two! سه؟ چهار.\n- five") == ["One 3.5 m.", "Two!", "سه؟", "چهار.", "- five"]


def rule(asked: str):
    """A judge that knows numbers alone: 5 where all of the answer's stand before it, else 1."""
    before, answer = re.search(
        r"<conversation>\n(.*)\n</conversation>.*<answer>\n(.*)\n</answer>", asked, re.S
    ).groups()
    known = set(re.findall(r"\d+", before))
    return 200, "5" if set(re.findall(r"\d+", answer)) <= known else "1", None


@pytest.fixture
def judge(monkeypatch, tmp_path):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    with service(rule) as found:
        yield found


def test_a_judge_is_asked_of_each_claim_and_of_each_passage(judge) -> None:
    asked = {"by": "judge", "judge": {"model": "judge", "address": judge.address}}
    context = "It has 43 rooms.\n\nIt has 12 doors."
    assert one(Factuality.model_validate(asked), "It has 43 rooms. It has 9 doors.", context) == 0.5
    assert len(judge.asked) == 2
    assert one(ChunkAttribution.model_validate(asked), "There are 12 doors.", context) == 0.5
    assert one(ChunkUtilisation.model_validate(asked), "There are 12 doors.", context) == 0.5
    assert one(ContextRelevance.model_validate(asked), "", context, "Are there 43 rooms?") == 0.5
    assert one(Completeness.model_validate(asked), "43 rooms, 12 doors", context, "What is there?") == 1
    assert one(Factuality.model_validate(asked), "", context) == 0


def test_a_judge_and_its_address_go_together() -> None:
    with pytest.raises(ValueError, match="go together"):
        Factuality(by="judge")


def test_rows_without_passages_are_named() -> None:
    with pytest.raises(DataError, match=r"'context', which the metric factuality reads"):
        Factuality().values(["a"], [question("q", documents="a")])
