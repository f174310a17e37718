"""The general text and what is said of its loss."""

import pytest

from sevenfold.errors import DataError
from sevenfold.evaluate.forgetting import forgetting
from sevenfold.evaluate.metrics import Likelihood
from sevenfold.evaluate.passages import fingerprint, passages
from sevenfold.evaluate.section import EvaluateSection


def likelihoods(rise, spread=0.0):
    return [Likelihood((2.0 + rise + spread * (-1) ** i) * (20 + i), 20 + i) for i in range(30)]


def check(rise, spread=0.0):
    return forgetting(likelihoods(0), likelihoods(rise, spread), seed=1, resamples=1000, confidence=0.95)


@pytest.mark.parametrize(
    ("rise", "kind"), [(-0.1, "kept"), (0.0, "kept"), (0.04, "kept"), (0.1, "some lost"), (0.3, "much lost")]
)
def test_verdicts(rise, kind):
    found = check(rise)
    assert (found.verdict, found.sure, found.passages) == (kind, True, 30)
    assert found.comparison.difference == pytest.approx(rise)


def test_a_wide_interval_is_not_sure():
    found = check(0.06, spread=0.5)
    assert (found.verdict, found.sure) == ("some lost", False)
    assert found.comparison.interval[0] < 0 < found.comparison.interval[1]


def test_own_text_is_thirty_passages_in_two_languages():
    own = passages("own")
    persian = [text for text in own if any("\u0600" <= character <= "\u06ff" for character in text)]
    assert len(own) == len(set(own)) == 30
    assert len(persian) == 13
    assert all(8 <= len(text.split()) <= 80 for text in own)


def test_a_users_file(tmp_path):
    path = tmp_path / "general.txt"
    path.write_text("one\nstill one\r\n\r\n\ntwo\n", encoding="utf-8")
    assert passages(str(path)) == ["one\nstill one", "two"]
    assert passages("none") == []
    before = EvaluateSection(general_text=str(path)).outside()
    path.write_text("three", encoding="utf-8")
    assert EvaluateSection(general_text=str(path)).outside() != before
    assert fingerprint("none") == {}


def test_bad_text_is_named(tmp_path):
    with pytest.raises(DataError, match="there is no file 'owm'") as caught:
        fingerprint("owm")
    assert "did you mean: own" in str(caught.value)
    (tmp_path / "empty.txt").write_text(" \n\n ")
    with pytest.raises(DataError, match="is empty"):
        passages(str(tmp_path / "empty.txt"))
    (tmp_path / "latin.txt").write_bytes("é".encode("latin-1"))
    with pytest.raises(DataError, match="cannot be read") as caught:
        passages(str(tmp_path / "latin.txt"))
    assert "UTF-8" in str(caught.value)
