"""Replay: what it equals, which rows it draws, and what it says of a bad file."""

from __future__ import annotations

import pytest
import torch

from sevenfold.errors import DataError, ModelError
from sevenfold.record import Entry
from sevenfold.tune import accumulate, terms
from sevenfold.tune.beside import _general
from sevenfold.tune.engine.passes import passes
from sevenfold.tune.methods import Moment
from sevenfold.tune.objectives.sft import Sft
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build
from tests.tune.beside import rows


def started(tiny_model, environment, tmp_path, **changes):
    fields = {"rows": str(rows.write(tmp_path / "general.jsonl")), "share": 0.5}
    section = TuneSection.model_validate({"beside": [{"replay": fields}], "batch": 4, "method": "full", **changes})
    environment.start()
    forward = build(section, tiny_model, environment)
    entry = Entry(tmp_path)
    terms.start(section, forward, tiny_model, environment, entry)
    return section, forward, entry


def gradient(forward, objective, batch):
    loss = accumulate.gradients(forward, objective, batch)
    found = torch.cat([weight.grad.flatten() for weight in forward.network.parameters() if weight.grad is not None])
    forward.network.zero_grad(set_to_none=True)
    return loss, found


def test_beside_sft_it_is_as_if_the_rows_stood_in_the_batch(tiny_model, environment, tmp_path) -> None:
    section, forward, _ = started(tiny_model, environment, tmp_path)
    term = forward.terms[0]
    term.begin(Moment(2, 9, 17))
    drawn = [term.rows.sequence(int(term.order(17, 1)[place])) for place in (2, 3, 4, 5)]
    sequences = [one for number in range(4) for one in section.sequences(rows.row(number), tiny_model.encoder())]
    loss, found = gradient(forward, Sft(), terms.laid(section, sequences))
    forward.terms = ()
    whole, expected = gradient(forward, Sft(), passes([*sequences, *drawn], 10_000))
    assert loss == pytest.approx(whole, rel=1e-5)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-6)


def test_beside_another_objective_it_is_its_share_of_the_loss(tiny_model, environment, tmp_path, monkeypatch) -> None:
    section, forward, _ = started(tiny_model, environment, tmp_path)
    monkeypatch.setattr(Sft, "language", False)
    term = forward.terms[0]
    term.begin(Moment(0, 9, 17))
    sequences = [one for number in range(4) for one in section.sequences(rows.row(number), tiny_model.encoder())]
    batch = terms.laid(section, sequences)
    figures: dict[str, float] = {}
    loss = accumulate.gradients(forward, Sft(), batch, figures)
    own, _ = accumulate.mean(forward, Sft(), batch)
    general, _ = accumulate.mean(forward, Sft(), term.batch)
    assert figures["replay"] == pytest.approx(general, rel=1e-5)
    assert loss == pytest.approx(0.5 * own + 0.5 * general, rel=1e-5)


def test_every_row_comes_once_before_any_comes_again(tiny_model, environment, tmp_path) -> None:
    _, forward, _ = started(tiny_model, environment, tmp_path)
    term = forward.terms[0]
    seen = [int(term.order(17, place // 6)[place % 6]) for place in range(12)]
    assert sorted(seen[:6]) == sorted(seen[6:]) == list(range(6))
    assert seen[:6] != seen[6:]
    drawn = []
    for step in range(3):
        term.begin(Moment(step, 9, 17))
        drawn.append(sorted(token for part in term.batch for token in part.labels_N.tolist()))
    expected = [
        sorted(
            one.ids[place]
            for number in seen[4 * step : 4 * step + 4]
            for one in term.rows.row(number)
            for place in range(1, len(one))
            if one.weights[place]
        )
        for step in range(3)
    ]
    assert drawn == expected


def test_the_share_is_said(tiny_model, environment, tmp_path) -> None:
    _, forward, entry = started(tiny_model, environment, tmp_path)
    assert forward.terms[0].count == 4
    assert any("4 general rows beside 4 in every step, a share of 50%" in note for note in entry.record.notes)


def test_text_is_learnt_as_it_stands_in_pieces(tiny_model) -> None:
    text = "people watch the model and it writes answers"
    ids = tiny_model.encoder().tokenizer(text)["input_ids"]
    row = next(_general.texts([("a:1", text)]))
    pieces = _general.Likelihood(limit=4).sequences(row, tiny_model.encoder())
    assert [token for piece in pieces for token in piece.ids] == ids
    assert max(map(len, pieces)) == 4
    assert all(piece.weights == [0.0, *[1.0] * (len(piece) - 1)] for piece in pieces)


def test_a_long_text_is_many_rows(tiny_model, environment, tmp_path) -> None:
    fields = {"rows": _general.MANUAL}
    section = TuneSection.model_validate({"beside": [{"replay": fields}], "method": "full", "max_length": 256})
    environment.start()
    forward = build(section, tiny_model, environment)
    terms.start(section, forward, tiny_model, environment, Entry(tmp_path))
    forward.terms[0].begin(Moment(0, 9, 17))
    assert sum(part.tokens for part in forward.terms[0].batch) <= 256
    assert len(forward.terms[0].rows.lengths) > 500


def test_passages_and_prepared_rows_are_read(tmp_path, dataset) -> None:
    path = tmp_path / "passages.txt"
    path.write_text("one two\nthree\n\n\nfour five\n", encoding="utf-8")
    assert [row.conversation.reference() for row in _general.read(str(path))] == ["one two\nthree", "four five"]
    prepared = list(_general.read(str(dataset.folder)))
    assert [row.origin for row in prepared] == [row.origin for row in dataset.rows("train")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "no JSON"),
        ('{"frage": "x"}', "neither text nor messages"),
        ('{"messages": [{"role": "bee", "content": "x"}]}', "neither text nor messages"),
        ('{"text": ""}', "neither text nor messages"),
    ],
)
def test_a_line_that_is_no_row_is_named(line, message, tmp_path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(f'{{"text": "good"}}\n\n{line}\n', encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        list(_general.read(str(path)))
    assert caught.value.where == f"{path}:3"


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(DataError, match="no general rows at 'nowhere"):
        TuneSection.model_validate({"beside": [{"replay": "nowhere.jsonl"}]}).outside()


def test_a_network_that_reads_in_both_directions_is_refused(tiny_encoder, environment, tmp_path) -> None:
    fields = {"rows": str(rows.write(tmp_path / "general.jsonl"))}
    section = TuneSection.model_validate({"beside": [{"replay": fields}], "method": "full"})
    environment.start()
    forward = build(section, tiny_encoder, environment)
    with pytest.raises(ModelError, match="both directions"):
        terms.start(section, forward, tiny_encoder, environment, Entry(tmp_path))
