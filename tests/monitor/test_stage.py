"""The whole stage on a real dataset on disk, a service's folder, and traffic with what goes wrong planted in it."""

import json

import pyarrow
import pytest

from sevenfold.chat.conversation import Conversation
from sevenfold.deploy.service import Service
from sevenfold.errors import DataError, MachineError
from sevenfold.monitor.observations import Observations
from sevenfold.monitor.section import MonitorSection
from sevenfold.monitor.stage import monitor
from sevenfold.monitor.store import TrafficStore
from sevenfold.prepare.dataset import Dataset, Row, arrow_schema, stored
from sevenfold.record import Entry
from sevenfold.schema import build
from tests.monitor import made


def dataset(folder, prompts):
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        Row(Conversation.of([{"role": "user", "content": p}, {"role": "assistant", "content": "x"}]), f"made:{n}")
        for n, p in enumerate(prompts)
    ]
    kept = Dataset(counts={"train": len(rows)})
    kept._folder = folder
    with pyarrow.OSFile(str(kept.path("train")), "wb") as file, pyarrow.ipc.new_file(file, arrow_schema()) as writer:
        writer.write_batch(pyarrow.RecordBatch.from_pylist([stored(row) for row in rows], schema=arrow_schema()))
    return kept.save(folder)


class Run:
    """A run's folder in which only the last stage is real work."""

    def __init__(self, folder):
        self.folder = folder
        self.dataset = dataset(folder / "1-prepare", made.task_prompts(400))
        (folder / "6-deploy").mkdir()
        (folder / "7-monitor").mkdir()
        self.service = made_service(folder / "6-deploy")
        self.smoke([made.exchange(n, p) for n, p in enumerate(made.task_prompts(403)[400:])])

    def smoke(self, exchanges):
        text = "".join(item.to_line() + "\n" for item in exchanges)
        (self.folder / "6-deploy" / "traffic.jsonl").write_text(text, encoding="utf-8")

    def serve(self, exchanges):
        with TrafficStore(self.folder / "traffic.sqlite") as store:
            store.extend(exchanges)

    def monitor(self, **fields):
        self.entry = Entry(self.folder / "7-monitor")
        checks = fields.pop("checks", [{"drift": {"trials": 4}}, "latency", "errors", "length", "repetition"])
        section = build(MonitorSection, {"window": 100, "checks": checks, **fields}, "monitor")
        return monitor(section, self.dataset, self.service, self.entry)


def made_service(folder) -> Service:
    service = Service.model_construct()
    service._folder = folder
    return service


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "demo")


def healthy(first, count):
    prompts = made.task_prompts(1200)[403:]
    return [made.exchange(n, prompts[n % len(prompts)]) for n in range(first, first + count)]


def test_a_smoke_test_alone_gives_metrics_and_says_what_is_missing(run):
    seen = run.monitor()
    assert (seen.requests, seen.imported) == (3, 3)
    assert seen.windows[0].metrics.seconds["p50"] == 0.5
    assert "3 prompts; 50 are needed" in seen.windows[0].finding("drift").reason
    assert seen.firing == []
    assert (seen.training_prompts, seen.compared_prompts) == (400, 400)
    assert seen.calibrations["drift"]["trials"] == 4
    assert Observations.open(run.folder / "7-monitor") == seen
    assert any("false alarms in 4 windows" in note for note in run.entry.record.notes)


def test_running_again_imports_nothing_twice_and_keeps_the_baseline(run):
    run.monitor()
    kept = (run.folder / "7-monitor" / "baseline.json").read_bytes()
    seen = run.monitor()
    assert (seen.requests, seen.imported) == (3, 0)
    assert (run.folder / "7-monitor" / "baseline.json").read_bytes() == kept


def test_traffic_outlives_the_stages_folder(run):
    run.serve(healthy(10, 20))
    run.monitor()
    (run.folder / "history").mkdir()
    (run.folder / "7-monitor").rename(run.folder / "history" / "7-monitor-0123")
    (run.folder / "7-monitor").mkdir()
    assert run.monitor().requests == 23


def test_other_training_data_gives_another_baseline(run):
    run.monitor()
    run.dataset = dataset(run.folder / "1-prepare", made.persian_prompts(120))
    assert run.monitor().training_prompts == 120


def test_healthy_traffic_raises_no_alarm(run):
    run.serve(healthy(10, 300))
    seen = run.monitor()
    assert [len(seen.windows), seen.firing, seen.events] == [4, [], []]
    assert {finding.verdict for finding in seen.windows[-1].findings} == {"ok"}


LOOP = "the value of the value of " * 8
PLANTED = {
    "drift": lambda n: made.exchange(n, made.persian_prompts(n + 1)[n]),
    "latency": lambda n: made.exchange(n, healthy(n, 1)[0].messages[0]["content"], seconds=100.0),
    "errors": lambda n: made.exchange(n, healthy(n, 1)[0].messages[0]["content"], status=500, error="out of memory"),
    "length": lambda n: made.exchange(n, healthy(n, 1)[0].messages[0]["content"], answer="", finish_reason="stop"),
    "repetition": lambda n: made.exchange(n, healthy(n, 1)[0].messages[0]["content"], answer=LOOP),
}


@pytest.mark.parametrize("check", PLANTED)
def test_each_planted_fault_raises_its_alarm_and_no_other(run, check):
    run.serve(healthy(10, 180))
    run.serve([PLANTED[check](n) for n in range(190, 220)])
    seen = run.monitor()
    assert seen.firing == [f"{check}.alarm >= 1"]
    assert [finding.check for finding in seen.windows[-1].findings if finding.verdict == "alarm"] == [check]
    assert [event.state for event in seen.events] == ["firing", "firing"]  # the console and the file
    assert any(note.startswith(f"warning: firing: {check}.alarm") for note in run.entry.record.notes)


def test_an_alert_is_told_once_and_its_end_once(run):
    run.serve(PLANTED["errors"](n) for n in range(10, 60))
    assert len(run.monitor().events) == 2
    assert run.monitor().events == []
    run.serve(healthy(100, 200))
    ended = run.monitor()
    assert [event.state for event in ended.events] == ["resolved", "resolved"]
    lines = (run.folder / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["firing", "resolved"]
    assert json.loads(lines[0])["run"] == "demo"


def test_a_channel_that_fails_is_told_next_time_and_the_others_only_once(run, monkeypatch):
    from tests.monitor.alerts.test_webhook import Receiver

    run.serve(PLANTED["errors"](n) for n in range(10, 60))
    alerts = ["jsonl", {"webhook": {"variable": "HOOK"}}]
    monkeypatch.delenv("HOOK", raising=False)
    failed = run.monitor(alerts=alerts)
    assert [event.rule for event in failed.events] == ["errors.alarm >= 1"]
    assert "HOOK is not set" in failed.untold[0]
    assert any("did not reach webhook" in note for note in run.entry.record.notes)
    with Receiver() as server:
        monkeypatch.setenv("HOOK", server.address)
        assert run.monitor(alerts=alerts).untold == []
    assert [body["rule"] for body in server.received] == ["errors.alarm >= 1"]
    assert len((run.folder / "alerts.jsonl").read_text(encoding="utf-8").splitlines()) == 1


def test_too_little_to_judge_does_not_end_an_alert(run):
    run.serve(PLANTED["drift"](n) for n in range(10, 110))
    assert run.monitor().firing == ["drift.alarm >= 1"]
    assert run.monitor(window=20).events == []


def test_a_rule_for_two_windows_waits_for_the_second(run):
    rules = ["errors.share > 0.2 for 2 windows"]
    run.serve(healthy(10, 97))
    run.serve(PLANTED["errors"](n) for n in range(200, 300))
    assert run.monitor(rules=rules).firing == []
    run.serve(PLANTED["errors"](n) for n in range(300, 400))
    assert run.monitor(rules=rules).firing == rules


def test_retention_says_what_it_deleted(run):
    run.serve(healthy(10, 50))
    seen = run.monitor(keep_rows=30, keep_days=100_000)
    assert (seen.requests, seen.deleted_by_count, seen.deleted_by_age) == (30, 23, 0)
    assert any("23 oldest requests above 30 were deleted (monitor.keep_rows)" in n for n in run.entry.record.notes)
    run.smoke([])
    assert run.monitor(keep_days=1).deleted_by_age == 30


def test_no_traffic_at_all_is_said(run):
    run.smoke([])
    seen = run.monitor()
    assert (seen.windows, seen.firing) == ([], [])
    assert any("no traffic yet" in note for note in run.entry.record.notes)


def test_the_totals_are_written_for_prometheus(run):
    run.monitor()
    assert 'sevenfold_traffic_requests{model="demo",status="200"} 3' in (
        run.folder / "7-monitor" / "metrics.prom"
    ).read_text(encoding="utf-8")


def test_a_broken_file_of_traffic_is_named(run):
    with (run.folder / "6-deploy" / "traffic.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "half')
    with pytest.raises(DataError, match=r"cannot be read") as caught:
        run.monitor()
    assert "traffic.jsonl:4" in str(caught.value)


def test_a_broken_baseline_is_named(run):
    (run.folder / "7-monitor" / "baseline.json").write_text("{")
    with pytest.raises(MachineError) as caught:
        run.monitor()
    assert "baseline.json" in str(caught.value)
    assert "delete the file and rerun" in str(caught.value)
