"""The format by_column: each row in the format that its column names."""

from __future__ import annotations

import pytest

from sevenfold.errors import DataError
from sevenfold.prepare.section import PrepareSection

FORMATS = {
    "chat": "messages",
    "translate": {"template": {"prompt": "[translate] {text}", "completion": "{answer}"}},
}


def made(**fields):
    section = {"source": "rows.jsonl", "format": {"by_column": {"formats": FORMATS, **fields}}}
    return PrepareSection.model_validate(section)


def test_each_row_is_read_in_its_own_format() -> None:
    chosen = made().format
    translate = chosen.read({"task": "translate", "text": "salam", "answer": "hello"})
    assert [message.content for message in translate.messages] == ["[translate] salam", "hello"]
    row = {"task": "chat", "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]}
    assert [message.content for message in chosen.read(row).messages] == ["hi", "yes"]
    assert chosen.columns(row) == ("messages",)


def test_the_recipe_says_it_again() -> None:
    section = made(column="kind")
    assert PrepareSection.model_validate(section.model_dump(mode="json")) == section


def test_rows_without_the_column_or_with_another_value_are_refused() -> None:
    with pytest.raises(DataError, match="no column 'task'"):
        made().format.read({"text": "a"})
    with pytest.raises(DataError, match="says 'translat', which has no format") as caught:
        made().format.read({"task": "translat"})
    assert caught.value.suggestion == "translate"


def test_unknown_formats_are_named() -> None:
    with pytest.raises(Exception, match=r"there is no format 'mesages'[\s\S]*did you mean: messages"):
        made(formats={"chat": "mesages"})
