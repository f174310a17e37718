import pytest

from sevenfold.console import Console
from sevenfold.monitor import summary
from tests.monitor.test_stage import PLANTED, healthy, run  # noqa: F401


@pytest.fixture
def seen(run):  # noqa: F811
    run.serve(healthy(10, 120))
    run.serve(PLANTED["errors"](n) for n in range(200, 260))
    return run.monitor()


def test_the_tables_say_when_how_much_and_what_is_wrong(seen, capsys):
    (title, columns, rows), (_, _, findings) = summary.tables(seen)
    assert title == "traffic: 183 requests"
    assert len(rows) == 2
    assert all(len(row) == len(columns) for row in rows)
    assert rows[1][columns.index("alarms")] == "errors"
    assert rows[0][columns.index("alarms")] == "none"
    assert next(row[:2] for row in findings if row[0] == "errors") == ["errors", "alarm"]
    for table in summary.tables(seen):
        Console().table(*table)
    assert "p95" in capsys.readouterr().err


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_the_plot_is_a_picture(seen, tmp_path, ending, magic):
    path = summary.plot(seen, tmp_path / f"traffic.{ending}")
    assert path.read_bytes().startswith(magic)
    assert path.stat().st_size > 10_000


def test_no_traffic_no_tables(run):  # noqa: F811
    run.smoke([])
    assert summary.tables(run.monitor()) == []
