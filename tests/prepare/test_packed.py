from __future__ import annotations

import bz2
import gzip
import json
import lzma
import zipfile
from pathlib import Path

import pyarrow
import pytest

from sevenfold.errors import DataError, RecipeError
from sevenfold.prepare import packed
from sevenfold.prepare.sources.csv import Csv
from sevenfold.prepare.sources.json import Json
from sevenfold.prepare.sources.jsonl import JsonLines
from sevenfold.prepare.sources.text import Text
from tests.prepare.conftest import read_all, section_of
from tests.prepare.sources.spoilt import outcomes


def zstd(data: bytes) -> bytes:
    return pyarrow.Codec("zstd").compress(data, asbytes=True)


PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}
ROWS = [{"prompt": f"سؤال {n}", "completion": str(n)} for n in range(300)]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
SHORT = b"".join(LINES.splitlines(keepends=True)[:40])
CSV = b"prompt,completion\n" + "".join(f"{r['prompt']},{r['completion']}\n" for r in ROWS).encode()


@pytest.fixture
def archive(tmp_path):
    def put(members, name="rows.zip"):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as file:
            for member, content in members.items():
                file.writestr(member, content)
        return str(tmp_path / name)

    return put


@pytest.mark.parametrize("suffix", PACKERS)
def test_packed_files_are_read_and_their_bytes_on_disk_counted(write, suffix):
    path = write(f"rows.jsonl{suffix}", PACKERS[suffix](LINES))
    source, read = section_of(source=path).source[0], []
    rows = read_all(source, read=read)
    assert [row.values for row in rows] == ROWS
    assert rows[-1].origin == f"{path}:300"
    assert sum(read) == source.size()
    assert read_all(Csv(path=write(f"rows.csv{suffix}", PACKERS[suffix](CSV))))[-1].values == ROWS[-1]
    whole = json.dumps(ROWS).encode()
    assert len(read_all(Json(path=write(f"rows.json{suffix}", PACKERS[suffix](whole))))) == 300
    assert len(read_all(Text(path=write(f"a.txt{suffix}", PACKERS[suffix](b"a\n\nb\n"))))) == 2


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_packed_file_that_grows_too_much_is_refused(write, suffix, monkeypatch):
    monkeypatch.setattr(packed, "SMALL", 1 << 20)
    path = write(f"rows.jsonl{suffix}", PACKERS[suffix](bytes(4 << 20)))
    with pytest.raises(DataError, match="packed bytes grow to more than") as caught:
        read_all(JsonLines(path=path))
    assert caught.value.where == path


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_name_that_promises_a_compression_that_is_not_there_is_refused(write, suffix):
    path = write(f"rows.jsonl{suffix}", LINES)
    with pytest.raises(DataError, match="cannot be read") as caught:
        read_all(JsonLines(path=path))
    assert caught.value.where == path


@pytest.mark.parametrize("suffix", PACKERS)
def test_half_a_packed_file_is_refused(write, suffix):
    content = PACKERS[suffix](LINES)
    path = write(f"rows.jsonl{suffix}", content[: len(content) // 2])
    with pytest.raises(DataError):
        read_all(JsonLines(path=path))


def test_the_files_of_an_archive_are_read_in_order(archive):
    path = archive(
        {
            "b/more.jsonl": b'{"n": 3}\n',
            "a.jsonl": b'{"n": 1}\n{"n": 2}\n',
            "c.jsonl.gz": gzip.compress(b'{"n": 4}\n'),
            "readme.txt": "no rows",
            "__MACOSX/a.jsonl": b"junk",
        }
    )
    source = JsonLines(path=path)
    assert [(row.values["n"], row.origin) for row in read_all(source)] == [
        (1, f"{path}/a.jsonl:1"),
        (2, f"{path}/a.jsonl:2"),
        (3, f"{path}/b/more.jsonl:1"),
        (4, f"{path}/c.jsonl.gz:1"),
    ]
    assert set(source.fingerprints()) == {f"{path}/{name}" for name in ("a.jsonl", "b/more.jsonl", "c.jsonl.gz")}
    assert source.size() > 0


def test_an_archive_chooses_its_source_by_what_is_in_it(archive):
    assert isinstance(section_of(source=archive({"a.csv": CSV})).source[0], Csv)
    with pytest.raises(RecipeError, match="several kinds"):
        section_of(source=archive({"a.csv": CSV, "b.jsonl": LINES}, "two.zip"))
    assert len(read_all(JsonLines(path=archive({"only.dat": LINES}, "one.zip")))) == 300


def test_an_archive_without_what_the_source_reads_says_what_it_has(archive):
    with pytest.raises(DataError, match="no file that ends with") as caught:
        read_all(Csv(path=archive({"a.txt": "x", "b.txt": "y"})))
    assert caught.value.alternatives == ("a.txt", "b.txt")


def test_a_folder_s_archives_are_read_with_its_files(archive, write, tmp_path):
    write("data/a.jsonl", '{"n": 1}\n')
    archive({"b.jsonl": '{"n": 2}\n'}, "data/z.zip")
    assert [row.values["n"] for row in read_all(section_of(source=str(tmp_path / "data")).source[0])] == [1, 2]


def test_an_archive_that_grows_too_much_is_refused(archive, monkeypatch):
    monkeypatch.setattr(packed, "SMALL", 1 << 20)
    with pytest.raises(DataError, match="packed bytes grow to more than"):
        read_all(JsonLines(path=archive({"a.jsonl": bytes(2 << 20), "b.jsonl": bytes(2 << 20)})))


def test_an_encrypted_member_is_refused(archive):
    path = archive({"a.jsonl": LINES})
    data = bytearray(Path(path).read_bytes())
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    Path(path).write_bytes(data)
    with pytest.raises(DataError, match="encrypted") as caught:
        read_all(JsonLines(path=path))
    assert caught.value.where == f"{path}/a.jsonl"


@pytest.mark.parametrize("suffix", PACKERS)
def test_spoilt_packed_files_are_read_or_refused_at_their_place(write, suffix):
    path = write(f"rows.jsonl{suffix}", PACKERS[suffix](SHORT))
    assert outcomes(path, lambda: JsonLines(path=path), 60)["refused"] > 40


def test_spoilt_archives_are_read_or_refused_at_their_place(archive):
    path = archive({"a.jsonl": SHORT, "b.jsonl": b'{"n": 1}\n'})
    assert outcomes(path, lambda: JsonLines(path=path), 80)["refused"] > 30


PLAIN = {
    "rows.jsonl": (JsonLines, SHORT),
    "rows.json": (Json, json.dumps(ROWS[:40]).encode()),
    "rows.csv": (Csv, b"".join(CSV.splitlines(keepends=True)[:40])),
}


@pytest.mark.parametrize("name", PLAIN)
def test_spoilt_plain_files_are_read_or_refused_at_their_line(write, name):
    kind, content = PLAIN[name]
    path = write(name, content)
    assert outcomes(path, lambda: kind(path=path), 80)["refused"] > 20


@pytest.mark.parametrize(("name", "kind"), [("deep.jsonl", JsonLines), ("deep.json", Json)])
def test_a_number_without_end_is_refused_at_its_line(write, name, kind):
    path = write(name, '{"a": ' + "1" * 5000 + "}")
    with pytest.raises(DataError, match="a number is too long") as caught:
        read_all(kind(path=path))
    assert caught.value.where == f"{path}:1"


@pytest.mark.parametrize(("name", "kind"), [("deep.jsonl", JsonLines), ("deep.json", Json)])
def test_a_value_nested_too_deeply_is_refused_at_its_line(write, name, kind):
    path = write(name, '{"a": ' + "[" * 200_000)
    with pytest.raises(DataError, match="nested too deeply") as caught:
        read_all(kind(path=path))
    assert caught.value.where == f"{path}:1"
