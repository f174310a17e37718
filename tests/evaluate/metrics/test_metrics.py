"""The metrics against hand-made values and plain computations."""

import math
import re

import numpy as np
import pytest
from sacrebleu.metrics import CHRF

from sevenfold.errors import RecipeError
from sevenfold.evaluate.metrics import DEFAULTS, METRICS, Likelihood, default_metrics, metric_name
from sevenfold.evaluate.metrics.chrf import Chrf
from sevenfold.evaluate.metrics.exact_match import ExactMatch
from sevenfold.evaluate.metrics.loss import Loss
from sevenfold.evaluate.metrics.perplexity import Perplexity
from sevenfold.evaluate.metrics.rouge_l import RougeL, common_subsequence, words
from sevenfold.evaluate.section import EvaluateSection


def table_lcs(first, second):
    """The textbook table."""
    table = np.zeros((len(first) + 1, len(second) + 1), dtype=int)
    for i, a in enumerate(first, 1):
        for j, b in enumerate(second, 1):
            table[i, j] = table[i - 1, j - 1] + 1 if a == b else max(table[i - 1, j], table[i, j - 1])
    return table[-1, -1]


def test_common_subsequence_equals_the_table():
    draw = np.random.default_rng(0)
    for _ in range(200):
        first, second = ([str(x) for x in draw.integers(0, 5, draw.integers(0, 90))] for _ in range(2))
        assert common_subsequence(first, second) == table_lcs(first, second)


def test_rouge_l_by_hand():
    # Lin 2004, section 3: "police kill the gunman" against "police killed the gunman": L = 3 of 4 words.
    assert RougeL().value("police kill the gunman", "Police killed the gunman.") == pytest.approx(3 / 4)
    assert RougeL().value("the gunman kill police", "police killed the gunman") == pytest.approx(2 / 4)
    assert RougeL().value("", "word") == 0
    assert RougeL().value("?", "!") == 0
    assert RougeL().value("?", " ? ") == 1


def test_rouge_l_reads_persian_and_other_scripts():
    assert RougeL().value("تهران پایتخت ایران است", "تهران، پایتختِ ایران است.") == pytest.approx(3 / 4)
    assert words("می‌روم به خانه.") == ["می‌روم", "به", "خانه"]
    assert words("हिन्दी भाषा") == ["हिन्दी", "भाषा"]
    assert words("東京 tower") == ["東", "京", "tower"]
    assert words("ﬁne Straße") == ["fine", "strasse"]


def test_exact_match_normalises_white_space_and_composition_only():
    metric = ExactMatch()
    assert metric.value(" a  b\n", "a b") == 1
    assert metric.value("cafe\u0301", "caf\u00e9") == 1
    assert metric.value("A b", "a b") == 0


def test_chrf_is_sacrebleus_and_works_in_persian():
    answer, reference = "تهران شهر بزرگی است", "تهران شهری بزرگ است"
    assert Chrf().value(answer, reference) == CHRF().sentence_score(answer, [reference]).score > 50
    assert Chrf().value(reference, reference) == 100
    plus = CHRF(word_order=2).sentence_score(answer, [reference]).score
    assert Chrf(words=2).value(answer, reference) == plus != Chrf().value(answer, reference)


def test_loss_and_perplexity_weigh_tokens_alike():
    rows = [Likelihood(6.0, 3), Likelihood(1.0, 1)]
    values, weights = np.array([Loss().value(row) for row in rows]), np.array([3.0, 1.0])
    mean = (values * weights).sum() / weights.sum()
    assert Loss().finish(mean) == pytest.approx(7 / 4)
    assert Perplexity().finish(mean) == pytest.approx(math.exp(7 / 4))


def test_every_metric_says_what_it_is():
    assert set(DEFAULTS) <= set(METRICS.names())
    for name in METRICS.names():
        kind = METRICS.find(name)
        assert kind.better in ("higher", "lower")
        assert kind.low < kind.high
        assert kind.unit
        assert len(kind.__doc__.splitlines()) > 2


def test_a_recipe_chooses_metrics_by_name_and_is_told_the_nearest():
    section = EvaluateSection(metrics=["loss", {"chrf": {"words": 2}}])
    assert section.model_dump()["metrics"][1] == {"chrf": {"characters": 6, "words": 2, "beta": 2}}
    assert [type(metric) for metric in EvaluateSection().metrics] == [type(metric) for metric in default_metrics()]
    with pytest.raises(RecipeError) as caught:
        METRICS.find("rogue_l")
    assert "did you mean: rouge_l" in str(caught.value)
    assert "perplexity" in str(caught.value)


def test_a_users_own_file_is_a_metric(tmp_path):
    path = tmp_path / "length_ratio.py"
    path.write_text(
        "from typing import ClassVar\n"
        "from sevenfold.evaluate.metrics import AnswerMetric\n"
        "class LengthRatio(AnswerMetric):\n"
        "    better: ClassVar[str] = 'higher'\n"
        "    def value(self, answer: str, reference: str) -> float:\n"
        "        return min(len(answer), len(reference)) / max(len(answer), len(reference), 1)\n"
    )
    metric = EvaluateSection(metrics=[{"file": str(path)}]).metrics[0]
    assert metric.value("ab", "abcd") == 0.5
    assert metric_name(metric) == "length_ratio"


def test_a_metric_may_stand_once_only():
    with pytest.raises(ValueError, match="the metric chrf stands twice"):
        EvaluateSection(metrics=["chrf", {"chrf": {"words": 2}}])


@pytest.mark.parametrize("name", METRICS.names())
def test_every_metric_says_how_it_is_read(name):
    """Direction, range and formula or source, and each figure that it can say of itself lies in its range."""
    kind = METRICS.find(name)
    text = " ".join(kind.__doc__.split())
    assert math.isfinite(kind.low) or kind.low == -math.inf
    head = text[:400]
    assert re.search(r"\b(higher|lower)\b", head), "the docstring says what is better"
    assert re.search(rf"\b{kind.better}\b", head), "and says the same as the class"
    assert re.search(r"-?\d+ to (-?\d+|infinity)|0 and up|0 up|1 is perfect", head), "it says the range"
    assert re.search(r"``[^`]+``|[Ss]hare of|\b(1[89]|20)\d\d\b", text), "it says the formula or the source"
    if math.isfinite(kind.high):
        assert re.search(rf"\b{kind.high:g}\b", text), "the upper end that it says is the class's"
