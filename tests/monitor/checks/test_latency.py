from sevenfold.monitor.checks.latency import Latency
from tests.monitor import made


def test_planted_slow_requests_are_found():
    finding = Latency().judge(made.window(200, bad=24, seconds=90.0), made.baseline([]))
    assert finding.verdict == "alarm"
    assert "24 of 200 answers took over 60 s (12.0%, allowed 5.0%" in finding.reason
    assert finding.figures["p99"] == 90
    assert finding.figures["slow_share"] == 0.12


def test_a_few_slow_ones_are_chance():
    assert Latency().judge(made.window(200, bad=12, seconds=90.0), made.baseline([])).verdict == "ok"


def test_late_first_tokens_are_found_alone():
    finding = Latency().judge(made.window(100, bad=20, first_token_seconds=15.0), made.baseline([]))
    assert finding.verdict == "alarm"
    assert "began after 10 s" in finding.reason
    assert "took over" not in finding.reason


def test_failed_requests_do_not_hide_slow_ones():
    finding = Latency().judge(made.window(20, bad=19, seconds=0.001, status=500), made.baseline([]))
    assert finding.figures["p50"] == 0.5


def test_one_answer_is_too_few():
    finding = Latency().judge(made.window(1, bad=1, seconds=500.0), made.baseline([]))
    assert finding.verdict == "unknown"
    assert "1 answers; 2 are needed" in finding.reason
