"""Agreement: published worked examples."""

from __future__ import annotations

import pytest

from sevenfold.agreement import alpha, cohen, fleiss, percent


def test_cohen():
    """Two raters of 50 proposals, a common worked example: 20 both yes, 5 and 10 apart, 15 both no; kappa 0.4."""
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    kappa, rows = cohen([a for a, _ in pairs], [b for _, b in pairs])
    assert (kappa, rows) == (pytest.approx(0.4), 50)


def test_fleiss():
    """Ten subjects, fourteen raters, five categories: kappa 0.210 (a common worked example)."""
    table = ["0 0 0 0 14", "0 2 6 4 2", "0 0 3 5 6", "0 3 9 2 0", "2 2 8 1 1"]
    table += ["7 7 0 0 0", "3 2 6 3 0", "2 5 3 2 2", "6 5 2 1 0", "0 2 2 3 7"]
    rows = [[str(k) for k, n in enumerate(line.split()) for _ in range(int(n))] for line in table]
    assert fleiss(rows)[0] == pytest.approx(0.210, abs=0.0005)
    assert percent(rows) == pytest.approx(0.378, abs=0.0005)


def test_alpha():
    """Krippendorff (2011), part C: four observers, twelve units, missing answers; nominal alpha 0.743."""
    observers = [
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    ]
    columns = [[None if one == "." else one for one in line.split()] for line in observers]
    assert alpha([list(row) for row in zip(*columns, strict=True)]) == pytest.approx(0.743, abs=0.0005)


def test_nothing_to_compare_is_undefined():
    assert percent([["a", None]]) is None
    assert fleiss([["a", None]]) == (None, 0)
    assert alpha([["a", "a"]]) is None
    assert cohen(["a"], ["a"]) == (None, 1)
