import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sevenfold.errors import MachineError
from sevenfold.monitor.alerts import Event
from sevenfold.monitor.alerts.webhook import Webhook
from sevenfold.record import Entry

EVENT = Event(
    run="demo", rule="drift.alarm >= 1", state="firing", time="2026-01-01T00:00:00", value=1.0, reason="می‌روم"
)


class Receiver(ThreadingHTTPServer):
    """A real server that answers with the given statuses in turn, then 200."""

    def __init__(self, *statuses: int, delay: float = 0) -> None:
        self.statuses, self.delay, self.received, self.methods = list(statuses), delay, [], []
        super().__init__(("127.0.0.1", 0), Handler)

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/secret-path"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        threading.Event().wait(self.server.delay)
        self.server.methods.append(self.command)
        self.server.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_):
        pass


@pytest.fixture
def entry(tmp_path):
    return Entry(tmp_path / "7-monitor")


def tell(server, monkeypatch, entry, **fields):
    monkeypatch.setenv("HOOK", server.address)
    Webhook(variable="HOOK", pause=0.01, **fields).tell(EVENT, entry)


def test_the_event_arrives_as_json(monkeypatch, entry):
    with Receiver() as server:
        tell(server, monkeypatch, entry)
    assert [Event(**body) for body in server.received] == [EVENT]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_busy_receiver_is_tried_again(monkeypatch, entry, status):
    with Receiver(status, status) as server:
        tell(server, monkeypatch, entry)
    assert len(server.received) == 3


def test_a_refusal_is_final_and_the_address_stays_secret(monkeypatch, entry):
    with Receiver(404) as server, pytest.raises(MachineError) as caught:
        tell(server, monkeypatch, entry)
    assert len(server.received) == 1
    assert "after 1 of 3 tries: status 404" in str(caught.value)
    assert "$HOOK" in str(caught.value)
    assert "secret-path" not in str(caught.value)


def test_a_redirect_is_not_followed(monkeypatch, entry):
    with Receiver(302) as server, pytest.raises(MachineError, match="status 302"):
        tell(server, monkeypatch, entry)
    assert server.methods == ["POST"]


def test_a_receiver_that_never_recovers_is_given_up(monkeypatch, entry):
    with Receiver(500, 500, 500, 500) as server, pytest.raises(MachineError, match="after 3 of 3 tries: status 500"):
        tell(server, monkeypatch, entry)
    assert len(server.received) == 3


def test_a_receiver_that_hangs_runs_into_the_time_limit(monkeypatch, entry):
    with Receiver(delay=1) as server, pytest.raises(MachineError, match="timed out"):
        tell(server, monkeypatch, entry, timeout=0.1, tries=1)


def test_nobody_there(monkeypatch, entry):
    with Receiver() as server:
        pass
    with pytest.raises(MachineError, match="refused"):
        tell(server, monkeypatch, entry, tries=2)


@pytest.mark.parametrize(("value", "said"), [("", "is not set"), ("file:///etc/passwd", "holds no web address")])
def test_the_variable_must_hold_a_web_address(monkeypatch, entry, value, said):
    monkeypatch.setenv("HOOK", value)
    with pytest.raises(MachineError) as caught:
        Webhook(variable="HOOK").tell(EVENT, entry)
    assert f"the environment variable HOOK {said}" in str(caught.value)
    assert "export HOOK=" in str(caught.value)
