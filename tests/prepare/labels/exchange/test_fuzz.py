"""Files that were damaged on the way: counted or said, never a crash, and no answer that does not fit the queue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sevenfold.errors import SevenfoldError
from sevenfold.prepare.labels.answers import Answers
from sevenfold.prepare.labels.returning import detect, exchange_named, take
from sevenfold.prepare.labels.review import Asked, Queue, read_review
from tests.prepare.labels.exchange.test_round_trip import GIVEN, TOOLS
from tests.prepare.labels.made import write_review

ODD = [None, 3, True, "", "x", [], [[]], {}, {"choices": 3}, {"value": [1]}, ["x", None], -1e400, "reviews.csv:2"]
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", params=TOOLS)
def answered(request, tmp_path_factory) -> tuple[str, Path, Queue]:
    """An answered file of each tool."""
    folder = tmp_path_factory.mktemp("tool")
    review = read_review(write_review(folder), Asked())
    exchange = exchange_named(request.param)
    file = exchange.write(review, folder / f"out{exchange.suffix}")[0]
    return request.param, TOOLS[request.param](file, GIVEN), review


def brought(tool: str, path: Path, review: Queue) -> None:
    answers = Answers(path.with_name("answers.jsonl"))
    answers.path.unlink(missing_ok=True)
    answers = Answers(answers.path)
    try:
        detect(path)
        take(exchange_named(tool), path, review, answers, None)
    except SevenfoldError:
        pass
    kept = [(origin, one.label) for origin, of in answers.held.items() for one in of.values()]
    assert all(origin in review.places and (label is None or label in review.labels) for origin, label in kept)


@given(cut=st.floats(0, 1), places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6))
@QUICK
def test_bytes_that_changed(answered, cut, places) -> None:
    tool, path, review = answered
    content = bytearray(path.read_bytes())
    for share, byte in places:
        content[int(share * (len(content) - 1))] = byte
    damaged = path.with_name(f"damaged{path.suffix}")
    damaged.write_bytes(content[: max(1, int(len(content) * (1 - cut / 4)))])
    brought(tool, damaged, review)


def changed(value: Any, draw: Any) -> Any:
    """A JSON value with one part of it, at any depth, in the place of which something odd stands."""
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from(ODD))
    key = draw(st.sampled_from(list(value) if isinstance(value, dict) else range(len(value))))
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = changed(value[key], draw)
    return copy


@given(data=st.data())
@QUICK
def test_parts_of_another_kind(answered, data) -> None:
    tool, path, review = answered
    if path.suffix not in (".json", ".jsonl"):
        pytest.skip("no JSON")
    text = path.read_text()
    rows = json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]
    rows = changed(changed(rows, data.draw), data.draw)
    damaged = path.with_name(f"damaged{path.suffix}")
    whole = path.suffix == ".json" or not isinstance(rows, list)
    damaged.write_text(json.dumps(rows) if whole else "".join(json.dumps(row) + "\n" for row in rows))
    brought(tool, damaged, review)
