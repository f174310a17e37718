"""Rows and turns may count more or less."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sevenfold.errors import DataError
from sevenfold.tune.objectives.sft import Sft


def test_a_rows_weight_multiplies_that_of_its_turns(tiny_model, dataset) -> None:
    row = dataset.head("train", 4)[3]
    first, *others = row.conversation.messages
    turned = replace(row.conversation, messages=(first, replace(others[0], weight=0.5), *others[1:]))
    weighed = replace(row, conversation=turned, fields={"worth": "3"})
    plain = Sft().sequences(replace(row, conversation=turned), tiny_model.encoder())
    found = Sft(weights="worth").sequences(weighed, tiny_model.encoder())
    assert {weight for one in found for weight in one.weights} == {0.0, 1.5, 3.0}
    assert [[3 * weight for weight in one.weights] for one in plain] == [one.weights for one in found]


@pytest.mark.parametrize("value", ["much", "-1", "0", "nan", "inf", ""])
def test_what_is_no_weight_is_named_with_its_row(value, tiny_model, dataset) -> None:
    row = replace(dataset.head("train", 1)[0], fields={"worth": value})
    with pytest.raises(DataError) as caught:
        Sft(weights="worth").sequences(row, tiny_model.encoder())
    assert repr(value) in caught.value.problem
    assert caught.value.where == "made:0, column 'worth'"


def test_a_column_that_is_not_there_suggests_the_nearest(tiny_model, dataset) -> None:
    row = replace(dataset.head("train", 1)[0], fields={"worth": "2"})
    with pytest.raises(DataError) as caught:
        Sft(weights="wroth").sequences(row, tiny_model.encoder())
    assert caught.value.suggestion == "worth"
