"""Flat files give back what was written, and memory does not hold it."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.tune import flat
from sevenfold.tune.flat import Listing, Numbers, Texts, TextWriter, read_numbers


@given(groups=st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=9), max_size=9))
def test_numbers_come_back(groups, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("flat") / "numbers"
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as files:
        patch.setattr(flat, "BUFFER", 5)
        numbers = Numbers(files, path, "i")
        for group in groups:
            numbers.extend(group)
        assert len(numbers.waiting) < 5
    assert numbers.count == sum(map(len, groups))
    np.testing.assert_array_equal(read_numbers(path, "i"), [value for group in groups for value in group])


@given(texts=st.lists(st.text(), max_size=9))
def test_texts_come_back(texts, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("flat") / "texts"
    with contextlib.ExitStack() as files:
        writer = TextWriter(files, path)
        for text in texts:
            writer.append(text)
    read = Texts(path)
    assert [read[index] for index in range(len(read))] == texts


@given(items=st.lists(st.tuples(st.text(), st.integers()), max_size=5))
def test_a_listing_is_one_json_array(items, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("flat") / "list.json"
    with contextlib.ExitStack() as files:
        listing = Listing(files, path)
        for item in items:
            listing.append(item)
    assert listing.count == len(items)
    assert json.loads(path.read_text(encoding="utf-8", errors="surrogatepass")) == [list(item) for item in items]


def test_files_have_no_name_before_all_is_well(tmp_path) -> None:
    def broken() -> None:
        with contextlib.ExitStack() as files:
            Numbers(files, tmp_path / "numbers", "i").extend([1, 2])
            TextWriter(files, tmp_path / "texts").append("x")
            Listing(files, tmp_path / "list").append("x")
            raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        broken()
    assert list(tmp_path.iterdir()) == []
