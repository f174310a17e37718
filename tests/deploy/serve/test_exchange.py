from __future__ import annotations

import json

from sevenfold.deploy.serve.exchange import Exchange


def test_a_line_reads_back_as_the_same_exchange():
    exchange = Exchange("a", 1.5, "m", [{"role": "user", "content": "سلام\n\u2028"}], "ok", "stop", 3, 4, 0.5, 0.1)
    line = exchange.to_line()
    assert "\n" not in line
    assert Exchange(**json.loads(line)) == exchange
