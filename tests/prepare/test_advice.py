"""Advice follows the number of rows and what they are like, and says why."""

from __future__ import annotations

import pytest

from sevenfold.prepare.advice import advice


def report(train: int = 5000, test: int = 500, **more) -> dict:
    rows = train + test
    prompt = {"prompt": {"median": 100}}
    return {
        "rows_in": rows,
        "rows": rows,
        "dropped": {},
        "splits": {"train": train, "test": test},
        "characters": prompt,
        **more,
    }


@pytest.mark.parametrize(
    ("rows", "what", "why"),
    [
        (99, "into the prompt", "99 training rows are few"),
        (100, "lora", "at least 1,000 are recommended"),
        (999, "lora", "at least 1,000 are recommended"),
        (1000, "comparison", "full tuning"),
        (10_000, "train fully", "mixed"),
    ],
)
def test_it_follows_the_size(rows, what, why):
    first, *rest = advice(report(rows))
    assert what in first["what"]
    assert why in first["why"] + first["what"]
    assert not rest


def test_facts_contexts_losses_and_languages_are_said_with_their_figures():
    languages = {"name": "languages", "figures": {"languages": {"fa": 80, "en": 20}}}
    given = report(facts=2000, audits=[languages], rows_in=20_000, test=50, dropped={"duplicate": 14_950})
    given["characters"] = {"prompt": {"median": 4000}}
    said = {one["what"][:12]: one["why"] for one in advice(given)}
    assert "2,000 of 5,050 replies have a figure" in said["keep facts t"]
    assert "4,000 characters" in said["train with t"]
    assert "14,950 of 20,000 rows were dropped" in said["read some of"]
    assert "uncertain by up to 14%" in said["hold out mor"]
    assert "80% of the rows are in fa" in said["choose a mod"]


def test_replies_with_figures_of_their_own_are_counted(run, write_rows):
    rows = [{"prompt": f"when was house {n} built?", "completion": f"In {1800 + n}."} for n in range(6)]
    rows += [{"prompt": f"repeat {n}", "completion": f"{n}, of course {'x' * n}"} for n in range(10, 14)]
    found = run(source=write_rows(rows)).report
    assert found["facts"] == 6
    assert any("RAG" in one["what"] for one in found["advice"])
