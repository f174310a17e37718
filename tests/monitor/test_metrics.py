import pytest
from prometheus_client.parser import text_string_to_metric_families

from sevenfold.monitor.metrics import exposition, measure, quantiles
from sevenfold.monitor.store import TrafficStore
from sevenfold.monitor.window import Window, newest
from tests.monitor import made


def test_the_figures_of_a_window():
    exchanges = [made.exchange(n, seconds=float(n + 1), user="a" if n % 2 else None) for n in range(10)]
    exchanges.append(made.exchange(10, status=500, error="boom", seconds=0.0, completion_tokens=0, project="p"))
    metrics = measure(Window(exchanges))
    assert (metrics.requests, metrics.errors) == (11, 1)
    assert metrics.seconds["p50"] == 5.5
    assert metrics.seconds["p95"] == pytest.approx(9.55)
    assert (metrics.prompt_tokens, metrics.completion_tokens) == (110, 70)
    assert metrics.span_seconds == 19  # the tenth request came at 9 and took 10
    assert metrics.tokens_per_second == pytest.approx(70 / 19)
    assert (metrics.by_user, metrics.by_project, metrics.by_model) == ({"a": 5}, {"p": 1}, {"demo": 11})


def test_no_values_have_no_quantiles():
    assert quantiles([]) == {"p50": None, "p95": None, "p99": None}


def test_windows_are_counted_back_from_the_newest(tmp_path):
    with TrafficStore(tmp_path / "traffic.sqlite") as store:
        assert newest(store, 10, 3) == []
        store.extend(made.exchange(n) for n in range(25))
        windows = newest(store, 10, 3)
        assert [len(window.exchanges) for window in windows] == [5, 10, 10]
        assert windows[-1].exchanges[-1].id == "req-00024"
        assert [len(window.exchanges) for window in newest(store, 10, 2)] == [10, 10]


def test_the_exposition_is_read_by_prometheus_own_parser(tmp_path):
    name = 'a"b\\c\nd'
    with TrafficStore(tmp_path / "traffic.sqlite") as store:
        store.extend([made.exchange(1, model=name), made.exchange(2, model=name), made.exchange(3, status=503)])
        families = {family.name: family for family in text_string_to_metric_families(exposition(store))}
    values = {
        (sample.labels["model"], sample.labels["status"]): sample.value
        for sample in families["sevenfold_traffic_requests"].samples
    }
    assert values == {(name, "200"): 2, ("demo", "503"): 1}
    assert families["sevenfold_traffic_completion_tokens"].samples[0].value == 14
