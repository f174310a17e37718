"""Arithmetic on all rows at once gives what the passes themselves show."""

from __future__ import annotations

import numpy as np
import pytest

from sevenfold.chat.encoder import TokenSequence
from sevenfold.prepare.dataset import Row
from sevenfold.tune import spans
from sevenfold.tune.encoded import Encoded, encode
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.objectives import Extra
from sevenfold.tune.section import TuneSection
from tests.rows import conversation


def plain(length: int) -> TokenSequence:
    return TokenSequence(list(range(3, 3 + length)), [0.0] + [1.0] * (length - 1))


def branched(stem: int, *answers: int) -> TokenSequence:
    found = TokenSequence()
    found.append(range(3, 3 + stem), 0.0)
    for length in answers:
        found.branch(range(50, 50 + length), 1.0)
    return found


MADE = [plain(5), branched(4, 3, 6), branched(0, 2, 7), plain(2), branched(300, 5), branched(1, 1, 1, 1)]


@pytest.fixture
def rows(tmp_path, tiny_model, monkeypatch) -> Encoded:
    section, made = TuneSection(), iter(MADE)
    monkeypatch.setattr(type(section.objective), "sequences", lambda *_: [next(made)])
    given = [Row(conversation(number), "made") for number in range(len(MADE))]
    encode(given, section, tiny_model.encoder(), tmp_path, "train")
    return Encoded(tmp_path, "train")


def test_spans_are_those_of_the_passes(rows) -> None:
    found = spans.of_rows(rows, Extra())
    expected = sorted((end - start, high - low) for start, end, low, high in pack(MADE).spans)
    assert sorted(zip(found.lengths.tolist(), found.behind.tolist(), strict=True)) == expected
    assert found.sequences.tolist() == [len(sequence) for sequence in MADE]
    assert (found.tokens, found.targets) == (sum(map(len, MADE)), sum(one.supervised for one in MADE))


def test_figures_are_those_of_the_pairs_that_attend(rows) -> None:
    found, spans_of = spans.of_rows(rows, Extra()), pack(MADE).spans
    tokens = sum(map(len, MADE))
    # A causal text of n tokens has n^2 / 2 pairs, up to n / 2.
    pairs = sum((high - low) * (end - start) + (end - start) ** 2 / 2 for start, end, low, high in spans_of)
    assert found.mean_length == pytest.approx(2 * pairs / tokens)
    scores = [(end - start) * (end - start + high - low) for start, end, low, high in spans_of]
    seen = [end - start + high - low for start, end, low, high in spans_of]
    assert found.scores_kept(256) == pytest.approx(
        sum(count for count, size in zip(scores, seen, strict=True) if size <= 256) / tokens
    )
    copied = sum(end - start + high - low for start, end, low, high in spans_of if high > low)
    assert found.copied == pytest.approx(copied / tokens)


def test_without_branches_they_are_what_a_text_alone_costs(rows) -> None:
    found = spans.Spans(np.array([100, 200, 300]), np.zeros(3, int), np.array([100, 200, 300]), 0)
    assert found.mean_length == pytest.approx((100**2 + 200**2 + 300**2) / 600)
    assert found.scores_kept(256) == pytest.approx((100**2 + 200**2) / 600)
    assert found.copied == 0


def test_drawn_answers_take_the_place_of_the_rows_own(rows) -> None:
    found = spans.of_rows(rows, Extra(answers=4, answer_tokens=10))
    assert found.sequences.tolist() == [5, 4 + 40, 40, 2, 300 + 40, 1 + 40]
    assert found.tokens == int(found.lengths.sum())
    assert found.targets == 4 * 4 * 10
    assert sorted(found.behind.tolist())[-4:] == [300] * 4
