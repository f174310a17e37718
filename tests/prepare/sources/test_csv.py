from __future__ import annotations

import csv
import gzip
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sevenfold.errors import DataError
from sevenfold.prepare.sources import RawRow, Unreadable
from sevenfold.prepare.sources.csv import Csv
from tests.prepare.conftest import give_all, read_all


def test_rows_have_the_header_s_columns_and_the_line_where_they_begin(write):
    path = write("rows.csv", 'prompt,completion\nhi,hello\n"two\nlines",yes\nlast,one\n')
    rows = read_all(Csv(path=path))
    assert [row.values for row in rows] == [
        {"prompt": "hi", "completion": "hello"},
        {"prompt": "two\nlines", "completion": "yes"},
        {"prompt": "last", "completion": "one"},
    ]
    assert [row.origin for row in rows] == [f"{path}:2", f"{path}:3", f"{path}:5"]


@pytest.mark.parametrize(("delimiter", "name"), [(";", "semicolon"), ("\t", "tab"), ("|", "bar")])
def test_the_delimiter_is_found_and_said(write, delimiter, name):
    lines = [["prompt", "completion"], ["one, two, three", "a"], ["four", "b, c"]]
    path = write("rows.csv", "\n".join(delimiter.join(line) for line in lines))
    notes: list[str] = []
    rows = read_all(Csv(path=path), notes)
    assert rows[0].values == {"prompt": "one, two, three", "completion": "a"}
    assert name in notes[0]


def test_one_column_is_no_mistake_without_another_delimiter(write):
    path = write("rows.csv", "text\nfirst\nsecond\n")
    assert [row.values for row in read_all(Csv(path=path))] == [{"text": "first"}, {"text": "second"}]


def test_the_wrong_delimiter_is_refused_with_the_right_one(write):
    path = write("rows.csv", "prompt;completion\nhi;hello\n")
    with pytest.raises(DataError) as caught:
        read_all(Csv(path=path, delimiter=","))
    assert caught.value.where == f"{path}:1"
    assert "prompt;completion" in caught.value.problem
    assert "';'" in caught.value.next_step


def test_a_record_of_another_width_is_refused_at_its_line(write):
    path = write("rows.csv", "prompt,completion\nhi,hello\nhi,hello,again\n")
    with pytest.raises(DataError, match="3 values, the header 2 columns") as caught:
        read_all(Csv(path=path, delimiter=","))
    assert caught.value.where == f"{path}:3"


def test_a_quote_that_is_not_closed_is_refused_at_its_line(write):
    path = write("rows.csv", 'prompt,completion\nhi,hello\n"hi,hello\nmore,lines\n')
    with pytest.raises(DataError, match="broken CSV") as caught:
        read_all(Csv(path=path))
    assert caught.value.where == f"{path}:3"


def test_a_column_that_stands_twice_is_refused(write):
    with pytest.raises(DataError, match="'prompt' stands twice"):
        read_all(Csv(path=write("rows.csv", "prompt,prompt\na,b\n")))


def test_the_wrong_encoding_says_the_byte_its_line_and_what_can_read_it(write):
    path = write("rows.csv", "prompt,completion\nhi,hello\ncoffee,café\n".encode("cp1252"))
    with pytest.raises(DataError) as caught:
        read_all(Csv(path=path))
    assert "byte 0xe9 at byte 11 of line 3" in caught.value.problem
    assert "cp1252 reads" in caught.value.problem
    assert "café" in caught.value.problem
    assert caught.value.where == f"{path}:3"
    assert "cp1252" in caught.value.alternatives
    assert "encoding" in caught.value.next_step
    assert read_all(Csv(path=path, encoding="cp1252"))[1].values["completion"] == "café"


def test_the_wrong_encoding_is_told_also_where_the_part_that_is_shown_cuts_a_character(write):
    line = b"\xc4\x80\xc4\x98\xc4\x81\xc4\x81a\xd1\xd1\n"  # GB 18030, of which cp1252 and cp1251 lack a byte.
    path = write("rows.csv", b"text\n" + line)
    with pytest.raises(DataError, match="not utf-8"):
        read_all(Csv(path=path))


def test_utf16_is_recognised_by_its_mark(write):
    path = write("rows.csv", "prompt,completion\nhi,hello\n".encode("utf-16"))
    with pytest.raises(DataError) as caught:
        read_all(Csv(path=path))
    assert caught.value.alternatives == ("utf-16",)
    assert read_all(Csv(path=path, encoding="utf-16"))[0].values == {"prompt": "hi", "completion": "hello"}


def test_an_encoding_that_does_not_exist_is_refused(write):
    with pytest.raises(DataError, match="no encoding 'utf9'"):
        read_all(Csv(path=write("rows.csv", "a,b\n1,2\n"), encoding="utf9"))


def test_a_byte_order_mark_is_not_part_of_the_first_column(write):
    rows = read_all(Csv(path=write("rows.csv", b"\xef\xbb\xbfprompt,completion\nhi,hello\n")))
    assert list(rows[0].values) == ["prompt", "completion"]


def test_gz_is_read_and_its_bytes_on_disk_are_counted(write):
    path = write("rows.csv.gz", gzip.compress(b"prompt,completion\nhi,hello\n"))
    read: list[int] = []
    source = Csv(path=path)
    assert read_all(source, read=read)[0].values == {"prompt": "hi", "completion": "hello"}
    assert sum(read) == source.size()


cell = st.text(st.characters(exclude_characters="\x00\r", exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(st.tuples(cell, cell), min_size=1, max_size=8), delimiter=st.sampled_from(",;\t|"))
def test_what_the_standard_writer_writes_is_read_back(write, rows, delimiter):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("prompt", "completion"), *rows])
    found = read_all(Csv(path=write("rows.csv", text.getvalue()), delimiter=delimiter))
    assert [tuple(row.values.values()) for row in found] == rows


@pytest.mark.parametrize("longest", [1 << 24, 100])
def test_rows_behind_quotes_that_are_not_closed_are_read_whatever_stands_between(write, monkeypatch, longest):
    """Every tenth row opens a quote that nothing closes: these are found and all others are rows."""
    monkeypatch.setattr("sevenfold.prepare.sources.csv.LONGEST", longest)
    lines = [f'"{n},open' if n % 10 == 3 else f"{n},fine" for n in range(200)]
    path = write("rows.csv", "\n".join(["a,b", *lines]) + "\n")
    found = give_all(Csv(path=path))
    assert [row.values["a"] for row in found if isinstance(row, RawRow)] == [str(n) for n in range(200) if n % 10 != 3]
    bad = [one.origin for one in found if isinstance(one, Unreadable)]
    assert bad == [f"{path}:{n + 2}" for n in range(200) if n % 10 == 3]
