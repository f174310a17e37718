"""The server of the labelling page, without a browser."""

from __future__ import annotations

import http.client
import json

import pytest

from sevenfold.errors import MachineError
from sevenfold.page.server import BODY, PageServer, background
from sevenfold.prepare.labels.answers import Answers
from sevenfold.prepare.labels.page.desk import Desk
from sevenfold.prepare.labels.review import Asked, read_review
from tests.prepare.labels.made import LABELS, lines, write_review

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def server(tmp_path):
    review = read_review(write_review(tmp_path), Asked())
    with background(Desk(review, Answers(tmp_path / "answers.jsonl"), "ada")) as running:
        yield running


def ask(
    server: PageServer, path: str, sent: object = None, **headers: str
) -> tuple[int, dict, http.client.HTTPMessage]:
    """One request to the secret address; ``sent`` makes it a POST."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    fields = {**(JSON if sent is not None else {}), **headers}
    where = path if path.startswith("/") else f"/{server.token}/{path}"
    body = sent if isinstance(sent, bytes) else None if sent is None else json.dumps(sent).encode()
    connection.request("GET" if sent is None else "POST", where, body, fields)
    reply = connection.getresponse()
    text = reply.read()
    connection.close()
    kind = reply.headers["Content-Type"]
    return reply.status, json.loads(text) if "json" in kind else {"page": text.decode()}, reply.headers


def test_the_page_loads_nothing_from_elsewhere_and_says_so(server) -> None:
    status, found, headers = ask(server, "")
    page, policy = found["page"], headers["Content-Security-Policy"]
    assert status == 200
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert not any(word in page for word in ("NONCE", "STYLE", "SCRIPT"))
    nonce = policy.split("script-src 'nonce-")[1].split("'")[0]
    assert page.count(f'nonce="{nonce}"') == 2
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert nonce not in ask(server, "")[2]["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/task", "/wrong/task", "/wrong/", "//task", "/%2e%2e/task"])
def test_who_does_not_know_the_secret_gets_nothing(server, path) -> None:
    status, found, _ = ask(server, path)
    assert status == 403
    assert set(found) == {"error"}


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "page.js", "..%2f..%2fetc/passwd", "row/-1", "row/1e9", "row/%C2%B2", "row/"]
)
def test_nothing_else_is_served(server, path) -> None:
    assert ask(server, path)[0] == 404


def test_rows_outside_of_the_queue_are_refused(server) -> None:
    assert ask(server, "row/5")[0] == 400
    assert "0 to 4" in ask(server, "row/99999")[1]["error"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "0.0.0.0"])
def test_another_host_is_refused_so_that_no_name_server_can_lead_here(server, host) -> None:
    assert ask(server, "task", Host=host)[0] == 421
    assert ask(server, "answer", {"origin": "reviews.csv:2", "label": "positive"}, Host=host)[0] == 421
    assert not server.desk.answers.path.exists()


def test_a_request_from_another_site_is_refused(server) -> None:
    sent = {"origin": "reviews.csv:2", "label": "positive"}
    assert ask(server, "answer", sent, Origin="http://evil.example")[0] == 421
    assert ask(server, "answer", sent, **{"Content-Type": "text/plain"})[0] == 415
    assert ask(server, "answer", sent, Origin=server.address.rsplit("/", 2)[0])[0] == 200


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"origin": "reviews.csv:2", "label": "postive"}, "did you mean: positive"),
        ({"origin": "reviews.csv:99", "label": "positive"}, "not in the queue"),
        ({"origin": ["reviews.csv:2"], "label": "positive"}, "not in the queue"),
        ({"origin": "reviews.csv:2", "label": ["positive"]}, "none of the labels"),
        ({"origin": "reviews.csv:2", "label": {"a": 1}}, "none of the labels"),
        ({}, "not in the queue"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_and_not_kept(server, sent, said) -> None:
    status, found, _ = ask(server, "answer", sent)
    assert status == 400
    assert said in found["error"]
    assert not server.desk.answers.path.exists()


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"[]", 400), (b"\xff", 400), (b"[" * 60000, 400)])
def test_a_body_that_is_no_object_is_refused(server, body, status) -> None:
    assert ask(server, "answer", body)[0] == status


def test_a_body_that_is_too_long_is_not_read(server) -> None:
    assert ask(server, "answer", b"{}", **{"Content-Length": str(BODY + 1)})[0] == 413


def test_an_answer_is_on_the_disk_when_it_is_confirmed(server) -> None:
    sent = {"origin": "reviews.csv:2", "label": "negative", "seconds": 2.34, "note": "ironic"}
    status, found, _ = ask(server, "answer", sent)
    assert (status, found["next"]) == (200, 1)
    assert found["progress"] == {"labelled": 1, "skipped": 0, "left": 4, "elsewhere": 0, "seconds_a_row": 2.3}
    (kept,) = lines(server.desk.answers.path)
    assert kept.pop("at").endswith("+00:00")
    assert kept == {
        "origin": "reviews.csv:2",
        "label": "negative",
        "annotator": "ada",
        "seconds": 2.34,
        "note": "ironic",
    }
    assert ask(server, "row/0")[1]["answer"]["label"] == "negative"
    assert ask(server, "undo", {})[1]["undone"] == 0
    assert ask(server, "row/0")[1]["answer"] is None
    assert ask(server, "undo", {})[1]["undone"] is None


def test_the_page_is_told_what_is_asked(server) -> None:
    found = ask(server, "task")[1]
    assert (found["labels"], found["question"], found["multi"], found["rows"]) == (
        LABELS,
        "How is the review?",
        False,
        5,
    )
    row = ask(server, "row/1")[1]
    assert row["label"] == ["positive"]
    assert "۳" in row["text"]


def test_the_address_without_its_end_is_not_the_page(server) -> None:
    assert ask(server, f"/{server.token}")[0] == 403


def test_a_port_in_use_is_said(server) -> None:
    with pytest.raises(MachineError, match="cannot listen"):
        PageServer(server.desk, server.server_address[1])
