"""`sevenfold monitor` on traffic and without any."""

from __future__ import annotations

import shutil
from pathlib import Path

from sevenfold.monitor.store import TRAFFIC_STORE
from tests.whole import sevenfold

PLOT = Path("runs/small/7-monitor/traffic.png")


def test_tables_and_a_plot(workshop) -> None:
    called = sevenfold("monitor", "small")
    assert (called.code, called.out) == (0, "")
    assert "traffic: 2 requests" in called.err
    for check in ("drift", "errors", "latency", "length", "repetition"):
        assert check in called.err.rpartition("the newest window")[2]
    assert f"plot: {PLOT}" in called.err
    assert PLOT.read_bytes().startswith(b"\x89PNG")


def test_no_traffic_is_no_plot(workshop) -> None:
    for path in Path("runs/small").glob(f"{TRAFFIC_STORE}*"):
        path.unlink()
    Path("runs/small/6-deploy/traffic.jsonl").unlink()
    shutil.rmtree("runs/small/7-monitor")
    called = sevenfold("monitor", "small", "--json")
    assert called.json["requests"] == 0
    assert "no traffic yet" in called.err
    assert not PLOT.exists()
