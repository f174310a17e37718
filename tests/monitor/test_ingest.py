import dataclasses
import json

import pytest

from sevenfold.errors import DataError
from sevenfold.monitor.ingest import exchanges
from sevenfold.monitor.store import TrafficStore
from tests.monitor import made


def write(path, items):
    path.write_text("".join(item.to_line() + "\n" for item in items), encoding="utf-8")
    return path


@pytest.fixture
def traffic(tmp_path):
    return write(tmp_path / "traffic.jsonl", [made.exchange(n, "می‌روم") for n in range(5)])


def test_a_file_is_imported_once(traffic, tmp_path):
    with TrafficStore(tmp_path / "traffic.sqlite") as store:
        assert store.extend(exchanges(traffic)) == 5
        assert store.extend(exchanges(traffic)) == 0
        assert list(store.newest(9)) == [made.exchange(n, "می‌روم") for n in range(5)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": "x", "time"', "Invalid JSON"),
        ("[1, 2]", "should be an object"),
        ('{"id": "x"}', "Field required"),
        (json.dumps({**dataclasses.asdict(made.exchange()), "seconds": "fast"}), "seconds"),
        (b"\xff\xfe", "Invalid JSON"),
    ],
)
def test_a_broken_line_is_named_and_nothing_is_imported(traffic, tmp_path, line, said):
    data = line if isinstance(line, bytes) else line.encode()
    lines = traffic.read_bytes().splitlines()
    traffic.write_bytes(b"\n".join([*lines[:3], data, *lines[3:]]))
    with TrafficStore(tmp_path / "traffic.sqlite") as store:
        with pytest.raises(DataError) as caught:
            store.extend(exchanges(traffic))
        assert store.count() == 0
    assert f"{traffic}:4" in str(caught.value)
    assert said in str(caught.value)
    assert "nothing of the file was imported" in str(caught.value)
