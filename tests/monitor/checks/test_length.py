from sevenfold.monitor.checks.length import Length, visible
from tests.monitor import made


def test_cut_answers_are_found():
    finding = Length().judge(made.window(100, bad=25, finish_reason="length"), made.baseline([]))
    assert finding.verdict == "alarm"
    assert finding.figures == {"alarm": 1.0, "cut_share": 0.25, "empty_share": 0.0}


def test_empty_answers_are_found():
    finding = Length().judge(made.window(100, bad=8, answer=" \u200c\n"), made.baseline([]))
    assert finding.verdict == "alarm"
    assert "8 of 100 answers are empty" in finding.reason


def test_a_call_of_a_tool_is_not_an_empty_answer():
    finding = Length().judge(made.window(100, bad=50, answer="", finish_reason="tool_calls"), made.baseline([]))
    assert finding.verdict == "ok"


def test_no_answers_no_verdict():
    finding = Length().judge(made.window(10, bad=10, status=500, finish_reason=None), made.baseline([]))
    assert finding.verdict == "unknown"
    assert finding.figures["cut_share"] is None


def test_joiners_alone_are_not_visible_and_persian_is():
    assert not visible("\u200c\u200f \t")
    assert visible("می‌روم")
