"""Scores of rows: exact where the surrogate allows it, high where a defect was planted."""

from __future__ import annotations

import json

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.errors import DataError
from sevenfold.prepare.selection import WAYS
from sevenfold.prepare.selection._choice import chosen, quotas
from sevenfold.prepare.selection._material import Material
from sevenfold.prepare.selection._surrogate import Ridge, removal
from sevenfold.vectors import VECTORS

WORDS = {"fruit": ["apple", "pear", "plum", "cherry", "grape"], "tool": ["hammer", "chisel", "drill", "wrench", "saw"]}
WRONG = 6


def material_of(count: int = 120, wrong: int = 0, replies: list[str] | None = None) -> Material:
    """Sentences of two subjects, the first ``wrong`` with the other subject's label."""
    draw = numpy.random.default_rng(3)
    labels = [list(WORDS)[n % 2] for n in range(count)]
    prompts = [f"{' '.join(draw.choice(WORDS[label], 4))} {n}" for n, label in enumerate(labels)]
    said = [label if n >= wrong else {"fruit": "tool", "tool": "fruit"}[label] for n, label in enumerate(labels)]
    origins = [f"rows:{n}" for n in range(count)]
    return Material(prompts, replies or said, origins, VECTORS.find("ngrams")(width=64), 5)


def test_removal_is_what_solving_again_without_the_row_gives():
    draw = numpy.random.default_rng(1)
    inputs, targets = draw.normal(size=(30, 5)), draw.normal(size=(30, 3))
    judges = draw.normal(size=(11, 5)), draw.normal(size=(11, 3))

    def loss(rows):
        left = Ridge.fitted(inputs[rows], targets[rows], 0.7).errors(*judges)
        return (left**2).sum() / 2 / 11

    everything = numpy.arange(30)
    again = [loss(everything != row) - loss(everything >= 0) for row in everything]
    found = removal(Ridge.fitted(inputs, targets, 0.7), (inputs, targets), judges)
    assert numpy.allclose(found, again, atol=1e-10)


@pytest.mark.parametrize("way", ["effort", "error_potential"])
def test_wrong_labels_are_hard(way):
    """All planted rows are the hardest; no other row is among them."""
    scores = WAYS.find(way)().scores(material_of(wrong=WRONG))
    assert set(scores.argsort()[::-1][:WRONG].tolist()) == set(range(WRONG))


def test_wrong_labels_do_harm():
    """Five of six planted rows have an influence below 0; so have 24 of 114 others, but theirs is near 0."""
    scores = WAYS.find("influence")().scores(material_of(wrong=WRONG))
    assert (scores[:WRONG] < 0).sum() == WRONG - 1
    assert (scores[WRONG:] < 0).sum() <= 24
    assert scores[:WRONG].mean() < 5 * scores[WRONG:][scores[WRONG:] < 0].mean()


def test_deft_is_influence_and_effort():
    material = material_of(wrong=WRONG)
    influence, effort = (WAYS.find(way)().scores(material) for way in ("influence", "effort"))
    found = WAYS.find("deft")(effort=0.3).scores(material)
    assert numpy.allclose(found, influence_plus(influence, effort, 0.3))


def influence_plus(influence, effort, share):
    return (influence - influence.mean()) / influence.std() + share * (effort - effort.mean()) / effort.std()


def test_free_replies_are_learnt_as_vectors():
    """Replies that answer another prompt are harder than the rest on average."""
    material = material_of()
    said = [prompt.upper() + " is what was asked" for prompt in material.prompts]
    said[0], said[1] = said[1], said[0]
    free = material_of(replies=said)
    assert not free.labelled
    assert free.targets.shape == (120, 64)
    scores = WAYS.find("effort")().scores(free)
    assert min(scores[:2]) > numpy.median(scores)
    assert numpy.isfinite(WAYS.find("error_potential")().scores(free)).all()


def test_diverse_takes_a_row_of_each_heap_first():
    """Three heaps of 20 equal texts: the first three are of three heaps."""
    texts = [text for text in ("apple pie", "steel bridge", "quantum field") for _ in range(20)]
    material = Material(texts, ["yes"] * 60, [str(n) for n in range(60)], VECTORS.find("ngrams")(), 1)
    first = WAYS.find("diverse")().scores(material).argsort()[::-1][:3]
    assert {int(place) // 20 for place in first} == {0, 1, 2}


def test_gibberish_has_the_highest_perplexity():
    material = material_of()
    spoilt = Material([*material.prompts, "xq zzvk qqj wxz"], [*material.replies, "fruit"], [], material.vectors, 1)
    assert WAYS.find("perplexity")().scores(spoilt).argmax() == 120


def test_random_does_not_depend_on_the_order():
    material = material_of(20)
    back = Material(material.prompts[::-1], material.replies[::-1], [], material.vectors, 5)
    scores = WAYS.find("random")().scores(material)
    assert (WAYS.find("random")().scores(back)[::-1] == scores).all()


def test_scores_of_a_file(tmp_path):
    path = tmp_path / "scores.jsonl"
    path.write_text("".join(json.dumps({"origin": f"rows:{n}", "score": n / 7}) + "\n" for n in range(20)))
    way = WAYS.find("scores")(path=str(path))
    assert way.scores(material_of(20)).tolist() == [n / 7 for n in range(20)]
    assert list(way.fingerprints()) == [str(path)]
    with pytest.raises(DataError, match="no score for the training row rows:20"):
        way.scores(material_of(21))
    path.write_text('{"origin": "rows:0"}')
    with pytest.raises(DataError, match="no score"):
        way.scores(material_of(20))
    path.unlink()
    with pytest.raises(DataError, match="no file of scores"):
        way.fingerprints()


def test_too_few_rows_are_an_error():
    with pytest.raises(DataError, match="too few"):
        WAYS.find("effort")().scores(material_of(9))


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=60), st.integers(1, 12), st.data())
def test_as_many_as_asked_are_chosen(scores, strata, data):
    count = data.draw(st.integers(1, len(scores)))
    found = chosen(numpy.array(scores), count, strata, 1).tolist()
    assert len(set(found)) == len(found) == count


def test_thin_strata_give_all_they_have():
    """Two rows at the top of 100 at the bottom stay when ten are asked for."""
    scores = numpy.concatenate([numpy.linspace(0, 0.01, 100), [0.99, 1.0]])
    assert {100, 101} <= set(chosen(scores, 10, 10, 1).tolist())


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 50), min_size=1, max_size=8), st.floats(0.01, 1))
def test_quotas_add_up(sizes, share):
    found = quotas(sizes, share)
    assert all(1 <= found[group] <= size for group, size in sizes.items())
    assert sum(found.values()) >= round(share * sum(sizes.values()))
