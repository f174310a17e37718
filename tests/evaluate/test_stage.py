"""The whole stage on a tiny base model and weights that were really tuned from it."""

import json
import math

import pytest

from sevenfold.chat.encoder import TokenSequence
from sevenfold.evaluate.measure import plain_sequence
from sevenfold.evaluate.metrics import DEFAULTS, METRICS
from sevenfold.evaluate.report import Report
from sevenfold.evaluate.section import EvaluateSection
from sevenfold.evaluate.stage import evaluate
from sevenfold.record import Entry
from tests.evaluate.rows import TASK as ROWS
from tests.evaluate.rows import dataset_of, rows_of


@pytest.fixture
def dataset(tmp_path):
    return dataset_of(tmp_path / "1-prepare", test=ROWS)


@pytest.fixture
def entry(tmp_path):
    (tmp_path / "5-evaluate").mkdir()
    return Entry(tmp_path / "5-evaluate")


def small(**more):
    return EvaluateSection(**{"max_new_tokens": 8, "resamples": 1000, **more})


def test_tuning_shows(dataset, tiny_model, environment, tuned, entry):
    report = evaluate(small(), dataset, tiny_model, environment, tuned, entry)
    assert report.better == "yes", report.summary
    assert set(report.metrics) == set(DEFAULTS)
    assert report.metrics["loss"].better == "yes"
    assert report.metrics["exact_match"].tuned == 1
    assert report.metrics["exact_match"].sign_test_p == 2 / 2**12
    assert report.metrics["perplexity"].base == pytest.approx(math.exp(report.metrics["loss"].base))
    # A model that learnt one phrase by all its weights forgets plain text.
    assert report.forgetting.verdict == "much lost"
    assert report.curve.verdict in ("healthy", "underfit")
    assert Report.open(entry.folder) == report
    assert json.loads(report.model_dump_json())["metrics"]["chrf"]["interval"][0] > 0
    assert entry.record.metrics["better"] == "yes"
    assert any("12 of 12 rows" in note for note in entry.record.notes)


def test_every_figure_can_be_traced_in_the_rows(dataset, tiny_model, environment, tuned, entry):
    report = evaluate(small(), dataset, tiny_model, environment, tuned, entry)
    rows = rows_of(report)
    assert [row["origin"] for row in rows] == [f"rows.jsonl:{i + 1}" for i in range(12)]
    for name, comparison in report.metrics.items():
        weights = [row["weights"][name] for row in rows]
        for side in ("base", "tuned"):
            total = sum(row[side]["values"][name] * w for row, w in zip(rows, weights, strict=True))
            figure = METRICS.find(name)().finish(total / sum(weights))
            assert getattr(comparison, side) == pytest.approx(float(figure))
    for row in rows:
        assert row["prompt"][-1]["role"] == "user"
        assert row["tuned"]["values"]["exact_match"] == (row["tuned"]["text"].strip() == row["reference"])
    assert report.answers["base"].cut == sum(row["base"]["finish_reason"] == "length" for row in rows)


def test_loss_equals_plain_transformers(dataset, tiny_model, environment, tuned, entry):
    import torch

    report = evaluate(small(metrics=["loss"], general_text="none"), dataset, tiny_model, environment, tuned, entry)
    assert report.answers == {}
    assert report.forgetting is None
    network, encoder = tiny_model.network(torch.float32), tiny_model.encoder()
    nll, tokens = 0.0, 0
    for row in dataset.rows("test"):
        sequence: TokenSequence = encoder.sequences(row.conversation)[0]
        labels = [i if w else -100 for i, w in zip(sequence.ids, sequence.weights, strict=True)]
        with torch.no_grad():
            loss = network(torch.tensor([sequence.ids]), labels=torch.tensor([labels])).loss
        nll += loss.item() * sequence.supervised
        tokens += sequence.supervised
    assert report.metrics["loss"].base == pytest.approx(nll / tokens, rel=1e-5)


def test_the_tuned_model_alone_reads_virtual_tokens(dataset, tiny_model, environment, tuned, entry):
    """The loss of each is that of plain transformers, on ids with and without them; the general text too."""
    import torch

    from sevenfold.tune.methods.prompt import Prompt

    method, network = Prompt(tokens=5), tiny_model.network(torch.float32)
    method.attach(network)
    (entry.folder / "weights").mkdir()
    method.save(network, entry.folder / "weights", "tiny")
    led = tuned.model_copy(update={"method": {"prompt": {"tokens": 5}}, "adapter": True})
    led._folder = entry.folder
    report = evaluate(small(metrics=["loss"]), dataset, tiny_model, environment, led, entry)
    for lead, made, found in (
        ([], tiny_model.network(torch.float32), report.metrics["loss"].base),
        (list(range(400, 405)), network, report.metrics["loss"].tuned),
    ):
        encoder, nll, tokens = tiny_model.encoder(lead), 0.0, 0
        for row in dataset.rows("test"):
            (sequence,) = encoder.sequences(row.conversation)
            with torch.no_grad():
                logprobs = torch.log_softmax(made(torch.tensor([sequence.ids])).logits[0], -1)
            for place in (place for place, weight in enumerate(sequence.weights) if weight):
                nll -= float(logprobs[place - 1, sequence.ids[place]])
                tokens += 1
        assert found == pytest.approx(nll / tokens, rel=1e-5)
    assert report.metrics["loss"].base != report.metrics["loss"].tuned
    assert report.forgetting.comparison.base != report.forgetting.comparison.tuned


def test_a_killed_run_goes_on_where_it_was(dataset, tiny_model, environment, tuned, entry, monkeypatch):
    from sevenfold.generate.engines.transformers import TransformersEngine

    whole = evaluate(small(batch=3), dataset, tiny_model, environment, tuned, entry)
    lines = (entry.folder / "tuned.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (entry.folder / "tuned.jsonl").write_text("".join(lines[:-4]), encoding="utf-8")
    asked = []
    generate = TransformersEngine.generate

    def counted(engine, prompts, sampling):
        asked.extend(prompts)
        return generate(engine, prompts, sampling)

    monkeypatch.setattr(TransformersEngine, "generate", counted)
    again = evaluate(small(batch=3), dataset, tiny_model, environment, tuned, entry)
    assert len(asked) == 4
    assert again == whole
    assert any("results are there from an interrupted run" in note for note in entry.record.notes)


def test_passages_beyond_the_context_are_counted(dataset, tiny_model, environment, tuned, entry, tmp_path):
    text = tmp_path / "general.txt"
    text.write_text("the model reads\n\n" + "the data " * 600 + "\n\nthe answer", encoding="utf-8")
    report = evaluate(small(metrics=["loss"], general_text=str(text)), dataset, tiny_model, environment, tuned, entry)
    assert report.forgetting.passages == 2
    assert any("1 of 3 passages" in note for note in entry.record.notes)


def test_plain_text_supervises_all_but_the_first_token(tiny_model):
    sequence = plain_sequence("the model reads", tiny_model.encoder())
    assert sequence.weights[0] == 0
    assert sequence.supervised == len(sequence) - 1
