"""Rows that cannot be read: planted ones are found at their places, and no damage ends otherwise than in a finding."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from sevenfold.errors import DataError, SevenfoldError
from tests.prepare.sources.spoilt import spoilt

ROWS = [{"prompt": f"question {n} سلام", "completion": f"answer {n} café"} for n in range(60)]
LINES = [json.dumps(row, ensure_ascii=False) for row in ROWS]


def csv_of(rows):
    return "prompt,completion\n" + "".join(f"{row['prompt']},{row['completion']}\n" for row in rows)


def arrow_bytes(kind):
    import pyarrow
    from pyarrow import parquet

    table, buffer = pyarrow.Table.from_pylist(ROWS), io.BytesIO()
    if kind == "parquet":
        parquet.write_table(table, buffer, row_group_size=15, write_page_checksum=True)
    else:
        opened = pyarrow.ipc.new_file if kind == "arrow" else pyarrow.ipc.new_stream
        with opened(buffer, table.schema) as writer:
            writer.write_table(table, max_chunksize=15)
    return buffer.getvalue()


def workbook_bytes():
    import openpyxl

    book, buffer = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["prompt", "completion"])
    for row in ROWS:
        book.active.append(list(row.values()))
    book.save(buffer)
    return buffer.getvalue()


def zip_of(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


def attempt(run, **values):
    """What a run leaves, or the one error that it may end in."""
    try:
        return run(**values)
    except SevenfoldError as error:
        return error


def unreadable(done):
    return [line for line in done.dropped if line["reason"] == "unreadable"]


def balanced(done):
    report = done.report
    assert report["rows_in"] + sum(report["made"].values()) == report["rows"] + sum(report["dropped"].values())
    assert len(done.dropped) == sum(report["dropped"].values())
    return report


def test_broken_lines_are_left_out_and_named(run, write):
    lines = list(LINES)
    lines[10], lines[30], lines[59] = '{"prompt": "x"', "[1, 2]", '{"prompt": "no completion"}'
    path = write("rows.jsonl", "\n".join(lines))
    done = run(source=path)
    report = balanced(done)
    assert report["rows_in"] == 60
    assert report["dropped"] == {"unreadable": 3}
    found = unreadable(done)
    assert [line["origin"] for line in found] == [f"{path}:11", f"{path}:31", f"{path}:60"]
    assert "broken JSON" in found[0]["problem"]
    assert found[0]["values"]["text"].startswith('{"prompt": "x"')
    assert "not an object" in found[1]["problem"]
    assert "no column 'completion'" in found[2]["problem"]
    assert any(f"3 of 60 rows cannot be read and are left out: {path}:11" in note for note in done.entry.record.notes)


def test_bad_bytes_in_a_line_cost_that_line_alone(run, write):
    content = [line.encode() for line in LINES]
    content[20] = "{'prompt': 'سلام'}".encode("cp1256")
    done = run(source=write("rows.jsonl", b"\n".join(content)))
    assert balanced(done)["rows"] == 59
    assert "the file is not utf-8: byte 0x" in unreadable(done)[0]["problem"]
    assert "of line 21" in unreadable(done)[0]["problem"]


def test_a_wrong_encoding_is_told_as_a_whole_with_those_that_can(run, write):
    path = write("rows.jsonl", "\n".join(LINES).encode("cp1256", "replace"))
    with pytest.raises(DataError, match="the first of 60 among 60 rows") as caught:
        run(source=path)
    assert "cp1256" in caught.value.alternatives
    assert caught.value.where == f"{path}:1"


def test_records_behind_a_stray_quote_and_an_uneven_one_are_read(run, write):
    lines = csv_of(ROWS).splitlines()
    lines[10], lines[20] = '"hi,hello', "a,b,c"
    path = write("rows.csv", "\n".join(lines))
    done = run(source=path)
    assert balanced(done)["rows"] == 58
    assert [line["origin"] for line in unreadable(done)] == [f"{path}:11", f"{path}:21"]
    assert unreadable(done)[0]["values"]["text"] == '"hi,hello\n'


def test_a_quote_that_closes_a_line_too_late_costs_its_lines_alone(run, write):
    lines = csv_of(ROWS).splitlines()
    lines[10], lines[11] = '"hi,hello', 'my "own" words,yes'
    done = run(source=write("rows.csv", "\n".join(lines)))
    assert balanced(done)["rows"] + len(unreadable(done)) == 60
    assert len(unreadable(done)) <= 2


@pytest.mark.parametrize("indent", [None, 2])
def test_a_broken_object_of_a_list_costs_itself(run, write, indent):
    objects = [json.dumps(row, ensure_ascii=False, indent=indent) for row in ROWS]
    text = "[\n" + ",\n".join(objects) + "\n]"
    done = run(
        source=write("rows.json", text.replace('"question 30', '"question "30').replace('"question 7', "question 7"))
    )
    assert balanced(done)["rows"] == 58
    assert len(unreadable(done)) == 2


def test_a_broken_row_group_costs_its_rows_and_says_how_many(run, write):
    data = bytearray(arrow_bytes("parquet"))
    place = data.find(b"question 20")
    if place < 0:  # The column is compressed: its pages carry a checksum.
        place = len(data) // 3
    data[place] ^= 0xFF
    path = write("rows.parquet", bytes(data))
    done = run(source=path, unreadable=1)
    assert balanced(done)["rows"] == 45
    assert "15 rows of row group" in unreadable(done)[0]["problem"]


def test_a_gz_file_that_breaks_off_gives_the_rows_before_it(run, write):
    import random

    dice = random.Random(1)
    lines = [json.dumps({"prompt": f"{n} {dice.random()}", "completion": f"{dice.random()}"}) for n in range(2000)]
    packed = gzip.compress("\n".join(lines).encode(), mtime=0)
    path = write("rows.jsonl.gz", packed[: len(packed) // 2])
    done = run(source=path)
    assert 500 < balanced(done)["rows"] < 1500
    assert len(unreadable(done)) == 1
    assert any("what stands behind these places is not read" in note for note in done.entry.record.notes)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b.jsonl.gz", gzip.compress(b"x" * 100)[:20]),
        ("b.jsonl.zip", zip_of(rows__jsonl=LINES[0])[:-30]),
        ("b.jsonl.zip", b"no archive"),
        ("b.jsonl", b""),
        ("b.jsonl.zst", b"not packed"),
    ],
    # Packed bytes hold the time: they cannot be names, which have to be the same in all processes.
    ids=["cut gz", "cut zip", "no zip", "empty", "no zst"],
)
def test_a_damaged_file_among_good_ones_is_a_finding_and_alone_an_error(run, write, tmp_path, name, content):
    write("data/a.jsonl", "\n".join(LINES[:30]))
    bad = write(f"data/{name}", content)
    write("data/c.jsonl", "\n".join(LINES[30:]))
    done = run(source=str(tmp_path / "data"))
    assert balanced(done)["rows"] == 60
    assert bad in unreadable(done)[0]["origin"]
    with pytest.raises(DataError) as caught:
        run(source={"jsonl": bad}, folder="alone")
    assert bad in caught.value.where


def test_a_damaged_workbook_among_good_ones_is_a_finding(run, write, tmp_path):
    write("data/a.xlsx", workbook_bytes())
    write("data/b.xlsx", workbook_bytes()[:-200])
    done = run(source={"excel": str(tmp_path / "data")})
    assert balanced(done)["rows"] == 60
    assert len(unreadable(done)) == 1


def test_the_share_that_stops_the_stage_is_the_recipe_s(run, write):
    lines = [*LINES[:50], *["broken"] * 7]
    path = write("rows.jsonl", "\n".join(lines))
    with pytest.raises(DataError, match="the first of 7 among 57 rows that cannot be read") as caught:
        run(source=path)
    assert caught.value.where == f"{path}:51"
    assert "prepare.unreadable" in caught.value.next_step
    assert balanced(run(source=path, unreadable=0.2))["rows"] == 50
    with pytest.raises(DataError, match="broken JSON: Expecting value"):
        run(source=path, unreadable=0)


def test_a_hundred_broken_rows_stop_before_the_end(run, write):
    path = write("rows.jsonl", "\n".join(["broken"] * 5000))
    with pytest.raises(DataError, match="the first of 100 among 100 rows"):
        run(source=path)


def test_pages_without_text_are_counted_under_their_own_reason(run, write, tmp_path):
    write("site/a.html", "<html><body><article><p>" + "The cat sat on the mat all day. " * 20 + "</p></article>")
    write("site/b.html", "<html></html>")
    done = run(source={"html": str(tmp_path / "site")})
    assert balanced(done)["dropped"] == {"no_page": 1}
    assert "no text is found" in done.dropped[0]["problem"]


def test_what_the_steps_hide_is_hidden_in_broken_rows_too(run, write):
    lines = [
        *LINES,
        '{"prompt": "write to ann.lee@lakeside.dev", "completion": x}',
        '{"prompt": "4111 1111 1111 1111'[:-6],
    ]
    done = run(source=write("rows.jsonl", "\n".join(lines)), clean=["pii"])
    first, second = unreadable(done)
    assert "ann.lee@lakeside.dev" not in json.dumps(first)
    assert "hidden" in first["problem"]
    assert "broken JSON" in second["problem"]


CONTENTS = {
    "rows.jsonl": lambda: "\n".join(LINES).encode(),
    "rows.csv": lambda: csv_of(ROWS).encode(),
    "rows.json": lambda: ("[\n" + ",\n".join(LINES) + "]").encode(),
    "rows.txt": lambda: "\n\n".join(row["prompt"] for row in ROWS).encode(),
    "rows.parquet": lambda: arrow_bytes("parquet"),
    "rows.arrow": lambda: arrow_bytes("arrow"),
    "rows.ipc": lambda: arrow_bytes("stream"),
    "rows.xlsx": workbook_bytes,
    "rows.html": lambda: ("<html><body><p>" + "The cat sat on the mat. " * 30 + "</p></body></html>").encode(),
    "rows.jsonl.gz": lambda: gzip.compress("\n".join(LINES).encode(), mtime=0),
    "rows.csv.zip": lambda: zip_of(rows__csv=csv_of(ROWS)),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_any_damage_ends_in_a_balanced_report_or_one_error_with_its_place(run, write, name):
    found: Counter[str] = Counter()
    for number, data in enumerate(spoilt(CONTENTS[name](), 25, seed=len(name))):
        path = write(f"damaged/{name}", data)
        done = attempt(run, source=path, folder=f"run-{number}", unreadable=0.5)
        if isinstance(done, SevenfoldError):
            assert done.where, done.describe()
            found["refused"] += 1
            continue
        report = balanced(done)
        for line in unreadable(done):
            assert path in line["origin"]
            assert line["problem"]
        found["findings" if report["dropped"].get("unreadable") else "read"] += 1
    assert found.total() == 25
    if name in ("rows.jsonl", "rows.csv", "rows.json"):
        assert found["findings"] > found["refused"]


@pytest.mark.parametrize("name", ["rows.jsonl.gz", "rows.parquet", "rows.xlsx", "rows.csv.zip", "rows.csv"])
def test_damage_to_one_file_leaves_the_others_whole(run, write, tmp_path, name):
    good = write(f"data/good-{name}", CONTENTS[name]())
    for number, data in enumerate(spoilt(CONTENTS[name](), 12, seed=3)):
        write(f"data/spoilt-{name}", data)
        done = attempt(run, source=str(Path(good).parent), folder=f"run-{number}", unreadable=0.6, clean=[])
        if isinstance(done, SevenfoldError):
            assert "spoilt" in str(done.where)  # Its columns have other names.
        else:
            assert balanced(done)["rows"] >= 60
