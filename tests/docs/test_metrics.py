"""Every metric in the stage itself: the recipes of docs/metrics.md on rows with the columns that they read."""

from __future__ import annotations

import json
import math

import pyarrow
import pytest
import yaml

from sevenfold.chat.conversation import Conversation
from sevenfold.evaluate.metrics import METRICS
from sevenfold.evaluate.section import EvaluateSection
from sevenfold.evaluate.stage import evaluate
from sevenfold.prepare.dataset import Dataset, Row, arrow_schema, stored
from sevenfold.record import Entry
from tests.docs import blocks
from tests.evaluate.conftest import tuned  # noqa: F401 a fixture of the stage's own tests
from tests.evaluate.rows import TASK, rows_of
from tests.generate.judging import service

COLUMNS = {
    "context": "The data are the answer.\n\nBread is baked from flour.",
    "tests": "assert True",
    "form": '{"type": "string"}',
}
ASKED_OTHERWISE = {"recall", "mrr", "pair_accuracy", "mae", "rmse", "r2"}
"""Of vectors, of pairs, of numbers: other rows, other models."""
RECIPES = [
    pytest.param(recipe["evaluate"], id=block.place)
    for block in blocks.read(blocks.named("docs/metrics.md"))
    if block.language == "yaml" and (recipe := yaml.safe_load(block.text))
]


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "1-prepare"
    folder.mkdir()
    rows = [
        stored(Row(Conversation.of([{"role": r, "content": c} for r, c in talk]), f"rows:{number}", dict(COLUMNS)))
        for number, talk in enumerate(TASK[:4])
    ]
    with pyarrow.ipc.new_file(str(folder / "test.arrow"), arrow_schema()) as writer:
        writer.write_table(pyarrow.Table.from_pylist(rows, schema=arrow_schema()))
    return Dataset(counts={"test": len(rows)}).save(folder)


@pytest.fixture
def report_of(dataset, tiny_model, environment, tuned, tmp_path):  # noqa: F811
    def run(fields):
        (tmp_path / "5-evaluate").mkdir()
        few = {"max_new_tokens": 8, "resamples": 1000, "general_text": "none"}
        return evaluate(
            EvaluateSection.model_validate({**fields, **few}),
            dataset,
            tiny_model,
            environment,
            tuned,
            Entry(tmp_path / "5-evaluate"),
        )

    return run


@pytest.mark.parametrize("fields", RECIPES)
def test_the_recipes_of_the_page_run(fields, report_of) -> None:
    with service(lambda asked: (200, "5" if "<answer>\nthe answer\n" in asked else "2", None)) as judge:
        for metric in fields["metrics"]:
            if "g_eval" in metric:
                metric["g_eval"]["address"] = judge.address
        report = report_of(fields)
    for name, compared in report.metrics.items():
        kind = METRICS.find(name)
        assert kind.low <= compared.base <= kind.high
        assert kind.low <= compared.tuned <= kind.high
    if "g_eval" in report.metrics:
        assert (report.metrics["g_eval"].tuned, report.metrics["g_eval"].base) == (1, 0.25)
    if "factuality" in report.metrics:
        assert report.metrics["factuality"].tuned == pytest.approx(1)
        assert report.metrics["context_relevance"].difference == 0


def test_every_metric_of_answers_runs_and_stays_in_its_range(report_of) -> None:
    names = [name for name in METRICS.names() if name not in {*ASKED_OTHERWISE, "g_eval"}]
    report = report_of(
        {"metrics": [{"json_schema": {"column": "form"}} if one == "json_schema" else one for one in names]}
    )
    for name in names:
        kind, compared = METRICS.find(name), report.metrics[name]
        for figure in (compared.base, compared.tuned):
            assert kind.low - 1e-9 <= figure <= kind.high + 1e-9, name
        assert math.isfinite(compared.difference), name
    assert report.metrics["wer"].tuned == 0 < report.metrics["wer"].base
    assert report.metrics["token_f1"].tuned == report.metrics["exact_match"].tuned == 1
    assert json.dumps(rows_of(report)[0])
