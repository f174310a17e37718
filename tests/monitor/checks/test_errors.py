import numpy as np

from sevenfold.monitor.checks.errors import Errors
from tests.monitor import made


def test_planted_errors_are_found():
    finding = Errors().judge(made.window(200, bad=8, status=500, error="out of memory"), made.baseline([]))
    assert finding.verdict == "alarm"
    assert finding.figures["share"] == 0.04
    assert "8 of 200 requests failed" in finding.reason


def test_refusals_are_counted_apart():
    finding = Errors().judge(made.window(200, bad=50, status=422, error="too long"), made.baseline([]))
    assert finding.verdict == "ok"
    assert finding.figures["refused_share"] == 0.25
    assert finding.figures["errors"] == 0


def test_an_answer_that_broke_off_counts_although_its_status_is_200():
    assert Errors().judge(made.window(100, bad=10, error="engine stopped"), made.baseline([])).verdict == "alarm"


def test_false_alarms_at_the_edge_of_what_is_allowed():
    """A service that fails exactly as often as allowed raises an alarm in at most about 1 % of windows."""
    draw = np.random.default_rng(0)
    failures = draw.binomial(200, 0.01, size=400)
    alarms = sum(
        Errors().judge(made.window(200, bad=int(count), status=500), made.baseline([])).verdict == "alarm"
        for count in failures
    )
    assert alarms <= 10
