"""The order of rows: each once an epoch, a new order each time, a function of seed and step alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.errors import DataError
from sevenfold.prove import proofs
from sevenfold.prove.proof import Case
from sevenfold.record import Entry
from sevenfold.tune.batches import Batches, label_of
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import encoded_split, tune
from sevenfold.tune.work import work_of
from tests.tune.objectives import labelled, made


@given(rows=st.integers(1, 60), batch=st.integers(1, 10), epoch=st.integers(0, 3))
def test_every_row_stands_once_in_an_epoch(rows: int, batch: int, epoch: int) -> None:
    batches = Batches(rows, batch, seed=5)
    steps = range(epoch * batches.per_epoch, (epoch + 1) * batches.per_epoch)
    assert sorted(row for step in steps for row in batches.at(step)) == list(range(rows))


def test_the_order_needs_no_history() -> None:
    walked = Batches(50, 4, seed=1)
    orders = [walked.at(step) for step in range(30)]
    assert Batches(50, 4, seed=1).at(29) == orders[29]
    assert Batches(50, 4, seed=2).at(29) != orders[29]
    assert orders[0] != orders[walked.per_epoch]


@given(
    counts=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    batch=st.integers(1, 9),
    seed=st.integers(0, 3),
)
def test_balanced_steps_have_as_many_of_each_label(counts: list[int], batch: int, seed: int) -> None:
    groups = np.repeat(np.arange(len(counts)), counts)
    batches = Batches(len(groups), batch, seed, groups)
    drawn: list[int] = []
    for step in range(3 * batches.per_epoch):
        rows = batches.at(step)
        drawn += rows
        found = Counter(groups[rows].tolist())
        assert max(found.values()) - min(found.get(label, 0) for label in range(len(counts))) <= 1
        assert Batches(len(groups), batch, seed, groups).at(step) == rows
    assert len(drawn) == 3 * len(groups)
    # Within a label no row comes again before all others did.
    for label in range(len(counts)):
        times = Counter(row for row in drawn if groups[row] == label)
        assert max(times.values(), default=0) - min(times.get(row, 0) for row in np.flatnonzero(groups == label)) <= 1
    assert batches.visited(3 * batches.per_epoch) == sorted(set(drawn))


def test_a_rows_label_is_its_column_or_reply() -> None:
    row = labelled.row(3, "what", "red ", tier="a")
    assert (label_of(row, "reply"), label_of(row, "tier")) == ("red", "a")
    with pytest.raises(DataError, match=r"tune.balanced is 'teir'.*no such column") as caught:
        label_of(row, "teir")
    assert "did you mean: tier" in str(caught.value)


@pytest.mark.parametrize("proof", ["packing", "accumulation", "resume"])
def test_balanced_steps_hold_the_proofs(proof, tiny_model, environment, tmp_path) -> None:
    section = TuneSection.model_validate(made.section("classify", balanced="reply", batch=3))
    case = Case(section, made.dataset("classify", tmp_path / "1-prepare"), tiny_model, environment, tmp_path)
    found = proofs.run(proof, case)
    assert found.passed, proofs.line(found)


def test_a_training_reads_what_its_plan_counted(tiny_model, environment, tmp_path) -> None:
    section = TuneSection.model_validate(made.section("classify", balanced="reply", batch=6, epochs=1, steps=None))
    dataset, entry = made.dataset("classify", tmp_path / "1-prepare"), Entry(tmp_path / "4-tune")
    section = section.settled(dataset)
    rows = encoded_split("train", section, dataset, tiny_model, entry)
    work = work_of(section, rows, tiny_model, environment)
    entry.folder.mkdir(exist_ok=True)
    tuned = tune(section, dataset, tiny_model, environment, entry)
    assert work.tokens_per_pass == max(step["tokens"] for step in tuned.history())
    texts = [row.conversation.reference() for row in dataset.rows("train")]
    batches = Batches.of(section, rows, environment.seed)
    assert all(Counter(texts[row] for row in batches.at(step)) == dict.fromkeys(set(texts), 2) for step in range(4))
