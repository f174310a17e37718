"""Rows in place of private ones: near to them as far as epsilon allows, and none of them among what is made."""

from __future__ import annotations

import json
import statistics

import pytest

from sevenfold.errors import DataError, RecipeError
from tests.generate.judging import service

TOPICS = ("football goals", "bank loans", "snow storms", "cooking rice", "guitar strings", "tax forms", "train tickets",
          "cat food", "rose gardens", "moon rockets")  # fmt: skip
MINE = TOPICS[:3]


@pytest.fixture
def rows(write_rows):
    """150 private rows on three of ten subjects."""
    return write_rows(
        [
            {"prompt": f"secret {n}: tell of {MINE[n % 3]}", "completion": f"about {MINE[n % 3]}", "side": "xy"[n % 2]}
            for n in range(150)
        ]
    )


@pytest.fixture
def candidates(write_rows):
    return write_rows(
        [
            {"prompt": f"please tell of {topic}, {n}", "completion": f"about {topic}", "side": "xy"[n % 2]}
            for topic in TOPICS
            for n in range(4)
        ],
        "candidates.jsonl",
    )


def private(**fields):
    return {"private": {"vectors": "ngrams", "keep": 12, **fields}}


def of_mine(found) -> float:
    """The share of the made rows on the private rows' subjects."""
    made = found.rows("train")
    return sum(any(topic in row.conversation.reference() for topic in MINE) for row in made) / len(made)


def test_the_rows_go_and_candidates_take_their_place(run, rows, candidates):
    found = run(source=rows, training=[private(epsilon=20, candidates=candidates)])
    made = found.rows("train")
    assert len(made) == 12
    assert found.report["dropped"] == {"private": 150}
    assert all(row.made_by == "private" and not row.parents and row.fields["synthetic"] == "true" for row in made)
    assert not any("secret" in row.conversation.messages[0].content for row in made)
    figures = found.report["training"][0]["figures"]
    assert (figures["epsilon"], figures["delta"], figures["protected"]) == (20, 1e-5, True)


def test_more_epsilon_is_nearer_to_the_private_rows(run, rows, candidates):
    """Over eight noises each: by chance three of ten subjects, with much epsilon nearly the private rows' own."""
    shares = {}
    for epsilon in (0.05, 2, 50):
        runs = [
            run(f"{epsilon}-{seed}", source=rows, training=[
                private(epsilon=epsilon, candidates=candidates, noise_seed=seed, keep=3)
            ])
            for seed in range(8)
        ]  # fmt: skip
        shares[epsilon] = statistics.mean(map(of_mine, runs))
    assert shares[0.05] < 0.65
    assert shares[0.05] < shares[2] <= shares[50]
    assert shares[50] > 0.95


def test_noise_differs_and_a_seed_takes_the_protection_away(run, rows, candidates):
    low = {"epsilon": 0.1, "candidates": candidates}
    one, other = (run(name, source=rows, training=[private(**low)]).rows("train") for name in ("one", "other"))
    assert [row.conversation for row in one] != [row.conversation for row in other]
    seeded = run("seeded", source=rows, training=[private(**low, noise_seed=3)])
    assert not seeded.report["training"][0]["figures"]["protected"]
    assert "noise that can be computed" in seeded.report["training"][0]["said"]


def test_labels_vote_for_their_own(run, rows, candidates):
    found = run(source=rows, training=[private(epsilon=20, candidates=candidates, by="side")])
    assert sorted(row.fields["side"] for row in found.rows("train")) == ["x"] * 6 + ["y"] * 6


def writing(prompt: str) -> tuple[int, str, None]:
    """Writes of a subject that the number of the request names; varies by a word."""
    assert "secret" not in prompt
    if "Write this row again" in prompt:
        row = prompt.split("</row>")[0].replace("please tell", "5: tell")
        return 200, row + "</row>", None
    number = int(prompt.split("This is request ")[1].split(":")[0])
    topic = TOPICS[number % 10]
    rows = (f"<row><prompt>please tell of {topic}, {n}</prompt><reply>about {topic}</reply></row>" for n in range(5))
    return 200, "".join(rows), None


def test_a_model_writes_and_varies_and_never_sees_a_row(run, rows):
    """Every question that is asked is looked at by the service itself, which fails if a private word stands in it."""
    with service(writing) as served:
        writer = {"address": served.address, "model": "writer"}
        found = run(source=rows, training=[
            private(epsilon=50, endpoint=writer, about="People ask to be told of subjects.", written=50, rounds=3)
        ])  # fmt: skip
    assert of_mine(found) > 0.9
    assert any("please" not in row.conversation.messages[0].content for row in found.rows("train"))
    assert found.report["training"][0]["figures"]["requests"] == 10 + 2 * 12


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "name candidates"),
        ({"candidates": "x.jsonl", "rounds": 2}, "2 rounds need an endpoint"),
        ({"endpoint": {"model": "m"}, "about": "x", "by": "side"}, "labels"),
    ],
)
def test_what_cannot_work_is_refused(run, rows, fields, said):
    with pytest.raises(RecipeError, match=said):
        run(source=rows, training=[private(epsilon=1, **fields)])


def test_a_line_that_is_no_candidate_is_named(run, rows, write):
    path = write("bad.jsonl", json.dumps({"prompt": "a", "completion": "b"}) + "\n[]\n")
    with pytest.raises(DataError, match="the line is no candidate") as caught:
        run(source=rows, training=[private(epsilon=1, candidates=path)])
    assert caught.value.where == f"{path}:2"
    with pytest.raises(DataError, match=r"cannot be read|no file"):
        run(source=rows, training=[private(epsilon=1, candidates=path + ".not")])
