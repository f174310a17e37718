from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from sevenfold.deploy.section import Serving
from sevenfold.deploy.serve.server import background, key_of, listen, loopback, run
from sevenfold.errors import MachineError, RecipeError
from tests.deploy.serve.conftest import MODEL


def test_a_port_in_use_names_a_free_one(engine):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(MachineError) as caught:
            run(engine, MODEL, Serving(port=port), lambda exchange: None)
        assert f"port {port} is in use" in str(caught.value)
        free = int(str(caught.value).rsplit(" ", 1)[-1])
        assert free != port
        listen("127.0.0.1", free).close()


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(MachineError, match=r"cannot listen") as caught:
        listen("192.0.2.1", 0)
    assert "192.0.2.1:0" in str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org"])
def test_an_address_open_to_others_needs_a_key(host, monkeypatch):
    monkeypatch.delenv("MY_KEY", raising=False)
    settings = Serving(host=host, key_variable="MY_KEY")
    with pytest.raises(RecipeError, match="MY_KEY"):
        key_of(settings)
    monkeypatch.setenv("MY_KEY", "secret")
    assert key_of(settings) == "secret"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_this_machines_own_addresses_need_none(host, monkeypatch):
    monkeypatch.delenv("SEVENFOLD_API_KEY", raising=False)
    assert loopback(host)
    assert key_of(Serving(host=host)) is None


def test_a_background_server_is_gone_afterwards(engine):
    with background(engine, MODEL, Serving(), lambda exchange: None) as address:
        assert httpx.get(f"{address}/health", trust_env=False).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/health", trust_env=False)


SCRIPT = """
import sys, time, torch
from pathlib import Path
from transformers import AutoModelForCausalLM, AutoTokenizer
from sevenfold.chat.encoder import Encoder
from sevenfold.deploy.section import Serving
from sevenfold.deploy.serve.server import run
from sevenfold.generate.engines.transformers import TransformersEngine

class Slow(TransformersEngine):
    def stream(self, prompt, sampling):
        for item in super().stream(prompt, sampling):
            time.sleep(0.05)
            yield item
    def close(self):
        print("closed", flush=True)

folder = sys.argv[1]
engine = Slow(AutoModelForCausalLM.from_pretrained(folder), Encoder(AutoTokenizer.from_pretrained(folder), [2]))
run(engine, "tiny", Serving(port=int(sys.argv[2])), lambda exchange: print(exchange.status, flush=True))
"""


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_running_answers_end_and_closes_the_engine(tiny_weights, sent):
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tiny_weights), str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        wait_for(client, process)
        body = {"model": "tiny", "prompt": "hi", "max_tokens": 20, "stream": True}
        with client.stream("POST", "/v1/completions", json=body) as response:
            lines = response.iter_lines()
            next(lines)
            process.send_signal(sent)
            rest = list(lines)
    out, err = process.communicate(timeout=30)
    assert rest[-2:] == ["data: [DONE]", ""]
    assert out.splitlines() == ["200", "closed"]
    assert process.returncode == 0, err
    assert "Traceback" not in err


def wait_for(client, process):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read()
        try:
            client.get("/health")
            return
        except httpx.ConnectError:
            time.sleep(0.05)
    raise AssertionError("the server did not come up")
