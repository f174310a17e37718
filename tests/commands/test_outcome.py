"""`sevenfold show`: what is from an earlier recipe is said."""

from __future__ import annotations

from tests.whole import sevenfold


def lines(said: str) -> dict[str, str]:
    """The table's rows by their stage."""
    cells = [[cell.strip() for cell in line.split("│")] for line in said.splitlines() if line.count("│") == 5]
    return {row[1]: row[2] for row in cells}


def test_a_stage_that_was_made_from_an_earlier_one_is_named(workshop) -> None:
    before = lines(sevenfold("show", "small").err)
    assert before["evaluate"] == before["deploy"] == "done"
    assert sevenfold("tune", "small.yaml", "--set", "tune.steps=2").code == 0
    after = lines(sevenfold("show", "small").err)
    assert after["tune"] == "done"
    assert after["evaluate"] == after["deploy"] == "done, of an earlier tune"
