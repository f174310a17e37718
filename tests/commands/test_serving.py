"""`sevenfold serve` as a process, OpenAI's own client before it, `sevenfold monitor` behind it."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole import sevenfold

KEY = "a key for the test"


@pytest.fixture(scope="module")
def served(finished, tmp_path_factory) -> Iterator[tuple[Path, str]]:
    """A copy of the finished run behind a server with a key: its folder and address."""
    import shutil

    folder = tmp_path_factory.mktemp("served") / "work"
    shutil.copytree(finished, folder)
    command = [
        sys.executable,
        "-c",
        "from sevenfold.cli import main; main()",
        "serve",
        "small",
        "--port",
        "0",
        "--json",
    ]
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "SEVENFOLD_API_KEY": KEY},
    )
    assert process.stdout
    assert process.stderr
    line = process.stdout.readline()
    assert line, process.stderr.read()
    announced = json.loads(line)
    assert announced["model"] == "small"
    yield folder, announced["address"]
    process.send_signal(signal.SIGINT)
    rest, said = process.communicate(timeout=60)
    assert (process.returncode, rest) == (0, ""), said
    assert "Traceback" not in said


def kept(folder: Path) -> list[dict[str, object]]:
    """The traffic store's rows as any SQLite client reads them, oldest first."""
    with sqlite3.connect(folder / "runs" / "small" / "traffic.sqlite") as store:
        store.row_factory = sqlite3.Row
        rows = [dict(row) for row in store.execute("SELECT * FROM exchanges ORDER BY time")]
    store.close()
    return rows


def test_answers_streamed_and_not_are_kept_and_monitored(served, monkeypatch) -> None:
    import openai

    folder, address = served
    before = len(kept(folder))
    question = [{"role": "user", "content": "say 3: the data"}]
    with openai.OpenAI(base_url=f"{address}/v1", api_key=KEY) as client:
        whole = client.chat.completions.create(model="small", messages=question, max_tokens=6)
        stream = client.chat.completions.create(model="small", messages=question, max_tokens=6, stream=True)
        streamed = "".join(part.choices[0].delta.content or "" for part in stream if part.choices)
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(model="small", messages=[{"role": "user", "content": "x " * 400}])
    answer = whole.choices[0].message.content
    assert answer
    assert streamed == answer
    assert "128" in refused.value.message

    rows = kept(folder)[before:]
    assert [row["status"] for row in rows] == [200, 200, 400]
    assert [row["answer"] for row in rows[:2]] == [answer, answer]
    assert json.loads(str(rows[0]["messages"])) == question
    assert rows[0]["prompt_tokens"] == whole.usage.prompt_tokens

    monkeypatch.chdir(folder)
    called = sevenfold("monitor", "small", "--set", "monitor.window=2")
    assert called.code == 0, called.err
    assert f"traffic: {before + 3} requests" in called.err
    assert "the newest window" in called.err
    plot = folder / "runs" / "small" / "7-monitor" / "traffic.png"
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_a_wrong_key_and_a_body_that_is_no_json_are_refused(served) -> None:
    import httpx

    _, address = served
    with httpx.Client(base_url=address, trust_env=False) as client:
        path = "/v1/chat/completions"
        wrong = client.post(path, json={}, headers={"Authorization": "Bearer other"})
        missing = client.post(path, json={})
        right = {"Authorization": f"Bearer {KEY}"}
        broken = client.post(path, content=b"{broken", headers=right)
        large = client.post(path, content=b" " * (1 << 20) + b"{}", headers=right)
        health = client.get("/health")
    assert (wrong.status_code, missing.status_code) == (401, 401)
    assert "key" in wrong.json()["error"]["message"]
    assert broken.status_code == 400
    assert "JSON" in broken.json()["error"]["message"]
    assert large.status_code == 413
    assert "1,048,576" in large.json()["error"]["message"] or "1048576" in large.json()["error"]["message"]
    assert health.status_code == 200


def test_a_port_in_use_is_a_message_with_a_free_one(finished, monkeypatch) -> None:
    monkeypatch.chdir(finished)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        called = sevenfold("serve", "small", "--port", str(port), "--json")
    assert called.code == 2
    assert called.json["error"] == f"port {port} is in use"
    assert called.json["next"].startswith("serve on port ")
    assert "Traceback" not in called.err


def test_an_open_address_without_a_key_is_refused(finished, monkeypatch) -> None:
    monkeypatch.chdir(finished)
    monkeypatch.delenv("SEVENFOLD_API_KEY", raising=False)
    called = sevenfold("serve", "small", "--host", "0.0.0.0", "--port", "0")
    assert called.code == 2
    assert "no key is set" in called.err
    assert "SEVENFOLD_API_KEY" in called.err
