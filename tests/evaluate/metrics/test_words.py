"""Metrics of words and characters, beside the libraries that define them."""

from __future__ import annotations

import json
import subprocess
import sys

import jiwer
import numpy as np
import pytest
import sacrebleu

from sevenfold.evaluate.metrics.bleu import Bleu
from sevenfold.evaluate.metrics.cer import Cer
from sevenfold.evaluate.metrics.rouge_1 import Rouge1
from sevenfold.evaluate.metrics.rouge_2 import Rouge2
from sevenfold.evaluate.metrics.token_f1 import TokenF1
from sevenfold.evaluate.metrics.wer import Wer

ROUGE = """
import json, sys
from rouge_score.rouge_scorer import RougeScorer
scorer = RougeScorer(["rouge1", "rouge2"])
found = [scorer.score(reference, answer) for answer, reference in json.loads(sys.argv[1])]
print(json.dumps([[one["rouge1"].fmeasure, one["rouge2"].fmeasure] for one in found]))
"""
PERSIAN = (
    ["تهران شهر بزرگی است", "من کتاب را دیروز خواندم", "هوا خوب است"],
    ["تهران شهری بزرگ است", "من دیروز این کتاب را خواندم", "هوا امروز خوب است"],
)


def figure(metric, answers, references) -> float:
    return float(metric.finish(metric.table(answers, references).mean(0)))


def drawn(seed: int, rows: int = 40) -> tuple[list[str], list[str]]:
    """Sentences of few different words, some empty answers among them."""
    rng = np.random.default_rng(seed)
    words = np.array(["the", "a", "house", "green", "stands", "is", "old", "by", "river", "two", "cat."])
    made = [" ".join(rng.choice(words, rng.integers(1, 14))) for _ in range(2 * rows)]
    answers = ["" if rng.random() < 0.1 else one for one in made[:rows]]
    return answers, made[rows:]


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(4))
def test_bleu_is_sacrebleus_of_the_corpus(order, seed) -> None:
    answers, references = drawn(seed)
    theirs = sacrebleu.BLEU(max_ngram_order=order).corpus_score(answers, [references]).score
    assert figure(Bleu(order=order), answers, references) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize(
    ("answers", "references"),
    [
        PERSIAN,
        (["a b c"], ["a b c"]),  # no run of four words
        (["x y z w v"], ["a b c d e"]),  # nothing in common
        (["the cat", ""], ["the cat sat on the mat", "here"]),
        (["a x b y c"], ["a b c d e f g"]),  # words in common and no pair: smoothed
    ],
)
def test_bleu_at_its_edges(answers, references) -> None:
    theirs = sacrebleu.corpus_bleu(answers, [references]).score
    assert figure(Bleu(), answers, references) == pytest.approx(theirs, abs=1e-9)


def test_bleu_of_characters() -> None:
    theirs = sacrebleu.BLEU(tokenize="char").corpus_score(PERSIAN[0], [PERSIAN[1]]).score
    assert figure(Bleu(tokenize="char"), *PERSIAN) == pytest.approx(theirs, abs=1e-9) != figure(Bleu(), *PERSIAN)


@pytest.mark.parametrize("metric", [Bleu(), Bleu(order=2), Wer(), Cer()])
def test_a_draw_of_rows_has_the_figure_of_the_rows(metric) -> None:
    """What the bootstrap does: how often each row was drawn, times the table."""
    answers, references = drawn(7)
    rows = np.random.default_rng(1).integers(0, 40, 40)
    mean = np.bincount(rows, minlength=40) @ metric.table(answers, references) / 40
    again = figure(metric, [answers[row] for row in rows], [references[row] for row in rows])
    assert float(metric.finish(mean)) == pytest.approx(again)


@pytest.mark.parametrize("metric", [Bleu(), Wer()])
def test_many_draws_at_once(metric) -> None:
    table = metric.table(*drawn(3))
    draws = np.stack([table[:20].mean(0), table[20:].mean(0)])
    assert metric.finish(draws).tolist() == pytest.approx([float(metric.finish(one)) for one in draws])


@pytest.mark.parametrize("seed", range(4))
def test_rouge_is_that_of_its_authors_program(seed) -> None:
    """As rouge_score, the port that papers report, has it."""
    pairs = list(zip(*drawn(seed), strict=True))
    # In a process of its own: its logging library keeps the standard error that it finds, which here is pytest's.
    asked = subprocess.run([sys.executable, "-c", ROUGE, json.dumps(pairs)], capture_output=True, text=True, check=True)
    for (answer, reference), (one, two) in zip(pairs, json.loads(asked.stdout), strict=True):
        assert Rouge1().value(answer, reference) == pytest.approx(one)
        if len(reference.split()) > 1:
            assert Rouge2().value(answer, reference) == pytest.approx(two)


def test_rouge_by_hand_and_in_persian() -> None:
    # Lin 2004: "police kill the gunman" against "police killed the gunman": 3 of 4 words, 1 of 3 pairs.
    assert Rouge1().value("police kill the gunman", "police killed the gunman") == pytest.approx(3 / 4)
    assert Rouge2().value("police kill the gunman", "police killed the gunman") == pytest.approx(1 / 3)
    assert Rouge1().value("تهران پایتخت ایران", "تهران، پایتختِ ایران.") == pytest.approx(2 / 3)
    assert Rouge2().value("one", "one") == Rouge1().value("?", "!") == 1
    assert Rouge2().value("one", "two") == 0


@pytest.mark.parametrize(("answers", "references"), [*(drawn(seed) for seed in range(4)), PERSIAN])
def test_error_rates_are_those_of_jiwer(answers, references) -> None:
    assert figure(Wer(), answers, references) == pytest.approx(jiwer.wer(references, answers))
    assert figure(Cer(), answers, references) == pytest.approx(jiwer.cer(references, answers))


def test_error_rates_by_hand() -> None:
    assert Wer().table(["a b c x", "", "long"], ["a b d", "one two", ""]).tolist() == [
        [2 / 3, 2, 3],
        [1, 2, 2],
        [1, 1, 0],
    ]
    assert figure(Wer(), ["a b c x", "", "long"], ["a b d", "one two", ""]) == 1
    assert figure(Cer(), ["kitten"], ["sitting"]) == pytest.approx(3 / 7)
    assert (
        figure(Cer(), ["caf\u00e9"], ["cafe\u0301"])
        == figure(Wer(), [" a \n b"], ["a b"])
        == figure(Wer(), [""], [""])
        == 0
    )


def test_f1_of_words_is_that_of_squad() -> None:
    metric = TokenF1()
    # Two of three words each way: 2 * 2 / (3 + 2).
    assert metric.value("The big red house", "red house!") == pytest.approx(0.8)
    assert metric.value("house house", "the house") == pytest.approx(2 / 3)
    assert metric.value("شهر تهران", "تهران؟") == pytest.approx(2 / 3)
    assert metric.value("", "") == 1
    assert metric.value("", "word") == 0
