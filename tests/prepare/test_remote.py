from __future__ import annotations

import gzip
import io
import json
import urllib.request
import zipfile

import pytest
from moto.server import ThreadedMotoServer

from sevenfold.errors import DataError, MachineError, RecipeError
from sevenfold.prepare.sources.jsonl import JsonLines
from sevenfold.prepare.sources.parquet import Parquet
from tests.prepare.conftest import read_all, section_of

LINES = "".join(json.dumps({"n": n, "text": "سلام"}, ensure_ascii=False) + "\n" for n in range(5)).encode()


@pytest.fixture(scope="module")
def server():
    """The address of a server that speaks S3."""
    served = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    served.start()
    host, port = served.get_host_and_port()
    yield f"http://{host}:{port}"
    served.stop()


@pytest.fixture
def store(server, monkeypatch):
    """Puts an object into the bucket ``rows``; the credentials are in the environment."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "us",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "AWS_ENDPOINT_URL": server,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)

    def put(key: str, content: bytes) -> str:
        for place, body in ((f"{server}/rows", b""), (f"{server}/rows/{key}", content)):
            request = urllib.request.Request(place, data=body, method="PUT", headers=SIGNED)
            with urllib.request.urlopen(request, timeout=5):
                pass
        return f"s3://rows/{key}"

    yield put
    urllib.request.urlopen(urllib.request.Request(f"{server}/moto-api/reset", method="POST"), timeout=5).close()


SIGNED = {
    "Content-Type": "application/octet-stream",
    "Authorization": "AWS4-HMAC-SHA256 Credential=us/20260101/us-east-1/s3/aws4_request",
}


def test_an_object_is_read_with_its_address_as_origin(store):
    path = store("a/rows.jsonl", LINES)
    source, read = section_of(source=path).source[0], []
    rows = read_all(source, read=read)
    assert [row.values["n"] for row in rows] == [0, 1, 2, 3, 4]
    assert rows[2].origin == "s3://rows/a/rows.jsonl:3"
    assert sum(read) == source.size() == len(LINES)


def test_a_folder_a_glob_packed_objects_and_archives_are_read(store):
    store("a/1.jsonl", LINES)
    store("a/2.jsonl.gz", gzip.compress(LINES))
    store("a/notes.txt", b"no rows")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("in.jsonl", LINES)
    store("b/3.zip", buffer.getvalue())
    assert len(read_all(JsonLines(path="s3://rows/a"))) == 10
    assert len(read_all(JsonLines(path="s3://rows/a/*.jsonl"))) == 5
    assert read_all(JsonLines(path="s3://rows/b/3.zip"))[0].origin == "s3://rows/b/3.zip/in.jsonl:1"


def test_parquet_is_read_from_a_store(store):
    import pyarrow
    from pyarrow import parquet

    sink = io.BytesIO()
    parquet.write_table(pyarrow.table({"a": [1, 2]}), sink)
    path = store("rows.parquet", sink.getvalue())
    assert [row.values for row in read_all(Parquet(path=path))] == [{"a": 1}, {"a": 2}]


def test_the_fingerprint_follows_the_content(store):
    path = store("rows.jsonl", LINES)
    before = JsonLines(path=path).fingerprints()
    store("rows.jsonl", LINES)
    assert JsonLines(path=path).fingerprints() == before
    store("rows.jsonl", LINES[::-1])
    assert JsonLines(path=path).fingerprints() != before


def test_a_broken_line_is_refused_at_its_place(store):
    path = store("rows.jsonl", LINES + b"{\n")
    with pytest.raises(DataError, match="broken JSON") as caught:
        read_all(JsonLines(path=path))
    assert caught.value.where == f"{path}:6"


def test_what_is_not_there_is_refused(store):
    store("rows.jsonl", LINES)
    for path in ("s3://rows/none.jsonl", "s3://nobucket/rows.jsonl", "s3://rows/*.csv"):
        with pytest.raises(DataError) as caught:
            read_all(JsonLines(path=path))
        assert caught.value.where == path


def test_a_store_that_does_not_answer_is_told_without_the_secret(store, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(MachineError, match="does not answer") as caught:
        read_all(JsonLines(path="s3://rows/rows.jsonl"))
    assert "s3cret" not in caught.value.describe()


def test_an_address_with_a_password_is_refused_and_not_repeated():
    with pytest.raises(RecipeError, match="carries a user or a password") as caught:
        section_of(source={"jsonl": "s3://me:s3cret@rows/rows.jsonl"})
    assert "s3cret" not in str(caught.value.as_json())


def test_an_address_of_another_kind_is_refused():
    with pytest.raises(RecipeError, match="not read from ftp://") as caught:
        read_all(JsonLines(path="ftp://host/rows.jsonl"))
    assert caught.value.alternatives == ("s3", "gs")
