import json

import pytest

from sevenfold.errors import MachineError
from sevenfold.monitor.alerts.jsonl import JsonLines
from sevenfold.record import Entry
from tests.monitor.alerts.test_webhook import EVENT


def test_events_are_appended_in_the_runs_folder(tmp_path):
    entry = Entry(tmp_path / "7-monitor")
    JsonLines().tell(EVENT, entry)
    JsonLines().tell(EVENT, entry)
    lines = (tmp_path / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["reason"] for line in lines] == ["می‌روم", "می‌روم"]


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "alerts.jsonl").mkdir()
    with pytest.raises(MachineError, match=r"(?i)is a directory"):
        JsonLines().tell(EVENT, Entry(tmp_path / "7-monitor"))
