"""Plain text is learnt whole: in windows, each token once, and with its middle moved to the end."""

from __future__ import annotations

import json

import pytest

from sevenfold.chat.conversation import Conversation
from sevenfold.errors import ModelError, RecipeError
from sevenfold.prepare.dataset import Row
from sevenfold.tune.objectives.fim import Fim
from sevenfold.tune.objectives.pretrain import Pretrain
from sevenfold.tune.section import TuneSection
from tests import whole

MARKS = ("<PRE>", "<SUF>", "<MID>")
TEXT = "def add(one, two):\n    total = one + two\n    return total\n"


def row(text: str) -> Row:
    return Row(Conversation.of([{"role": "assistant", "content": text}]), "made:1")


def section(objective: dict, length: int) -> TuneSection:
    return TuneSection.model_validate({"objective": objective, "max_length": length})


def test_a_document_is_its_text_and_an_end(tiny_model) -> None:
    encoder = tiny_model.encoder()
    (found,) = Pretrain().sequences(row(TEXT), encoder)
    assert encoder.decode(found.ids[:-1]) == TEXT
    assert found.ids[-1] == encoder.tokenizer.get_vocab()["<|endoftext|>"]
    assert found.weights == [0.0] + [1.0] * (len(found) - 1)
    assert Pretrain(end="none").sequences(row(TEXT), encoder)[0].ids == found.ids[:-1]


@pytest.mark.parametrize("overlap", [0, 1, 5])
@pytest.mark.parametrize("lead", [(), (400, 401)])
def test_windows_hold_each_token_once(overlap, lead, tiny_model) -> None:
    encoder = tiny_model.encoder(lead)
    objective = section({"pretrain": {"overlap": overlap}}, 16)
    whole_text = Pretrain().sequences(row(TEXT), tiny_model.encoder())[0]
    windows = objective.sequences(row(TEXT), encoder)
    assert max(map(len, windows)) == 16
    assert len(windows) > 2
    assert all(one.ids[: len(lead)] == list(lead) for one in windows)
    learnt = [token for one in windows for token, weight in zip(one.ids, one.weights, strict=True) if weight]
    # Without an overlap a window's first token has nothing before it.
    lost = len(windows) - 1 if overlap == 0 else 0
    assert len(learnt) == len(whole_text) - 1 - lost
    if overlap:
        assert learnt == whole_text.ids[1:]


def test_windows_are_drawn_each_by_itself(tiny_model, tmp_path) -> None:
    from sevenfold.tune.encoded import Encoded, encode

    lengths = encode([row(TEXT), row("short")], section({"pretrain": {}}, 16), tiny_model.encoder(), tmp_path, "train")
    found = Encoded(tmp_path, "train")
    assert lengths.rows == len(found) == len(found.lengths) > 3
    assert lengths.overlong == 0
    assert found.origins[0] == "made:1"


def test_an_end_that_is_no_token_lists_those_that_are(tiny_model) -> None:
    with pytest.raises(ModelError, match=r"no token '<\|eot\|>'") as caught:
        Pretrain(end="<|eot|>").sequences(row(TEXT), tiny_model.encoder())
    assert "<|endoftext|>" in caught.value.alternatives


def test_windows_that_do_not_move_on_are_refused() -> None:
    with pytest.raises(RecipeError, match="overlap by 16"):
        Pretrain(overlap=16).check(TuneSection(max_length=32))


def pieces(ids: list[int], encoder) -> tuple[str, str, str, str]:
    """What stands before the first mark, and behind each."""
    text = encoder.decode(ids[:-1])
    marks = sorted(MARKS, key=text.index)
    first, rest = text.split(marks[0])
    second, rest = rest.split(marks[1])
    third, fourth = rest.split(marks[2])
    return first, second, third, fourth


@pytest.mark.parametrize("spm", [0.0, 1.0])
def test_a_moved_middle_is_the_same_text(spm, tiny_model) -> None:
    encoder = tiny_model.encoder()
    objective = section({"fim": {"rate": 1.0, "spm": spm, "marks": MARKS}}, 200)
    (found,) = objective.sequences(row(TEXT), encoder)
    before, one, two, three = pieces(found.ids, encoder)
    assert before == ""
    if spm:
        # PRE SUF suffix MID prefix middle
        assert one == ""
        assert three + two == TEXT
    else:
        # PRE prefix SUF suffix MID middle
        assert one + three + two == TEXT
    assert found.weights == [0.0] + [1.0] * (len(found) - 1)
    assert found.ids[-1] == encoder.tokenizer.get_vocab()["<|endoftext|>"]


def test_the_rate_is_of_windows_and_hangs_on_their_text(tiny_model) -> None:
    encoder = tiny_model.encoder()
    rows = [row(TEXT.replace("total", f"value_{number}")) for number in range(60)]
    half = section({"fim": {"rate": 0.5, "marks": MARKS}}, 200)
    first, again = ([half.sequences(one, encoder)[0].ids for one in rows] for _ in range(2))
    assert first == again
    moved = sum("<PRE>" in encoder.decode(ids) for ids in first)
    assert 15 < moved < 45
    none = section({"fim": {"rate": 0.0, "marks": MARKS}}, 200)
    assert none.sequences(rows[0], encoder) == section({"pretrain": {}}, 200).sequences(rows[0], encoder)


def test_moved_windows_fit_the_limit(tiny_model) -> None:
    objective = section({"fim": {"rate": 1.0, "marks": MARKS}}, 64)
    found = objective.sequences(row(TEXT * 4), tiny_model.encoder((400, 401)))
    assert max(map(len, found)) <= 64
    assert len(found) > 2


def test_a_missing_line_is_asked(tiny_model) -> None:
    encoder = tiny_model.encoder()
    asked = Fim(marks=MARKS).asked(row(TEXT), encoder, 512)
    assert asked.reference in TEXT.splitlines(keepends=True)
    assert asked.sequence.supervised == len(encoder.encode(asked.reference)) + 1
    assert encoder.decode(asked.prompt_ids).endswith("<MID>")
    assert asked.sequence.ids[: len(asked.prompt_ids)] == asked.prompt_ids


def test_a_tokenizer_without_marks_says_how_to_name_some(tiny_model) -> None:
    with pytest.raises(ModelError, match="no tokens for filling in the middle") as caught:
        section({"fim": {}}, 64).sequences(row(TEXT), tiny_model.encoder())
    assert "marks" in caught.value.next_step


@pytest.mark.parametrize("objective", [{"pretrain": {}}, {"fim": {"marks": list(MARKS)}}])
def test_a_run_goes_through_all_stages(objective, tiny_weights, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [{"text": TEXT.replace("total", f"value_{number}") * (1 + number % 3)} for number in range(40)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    changed = {"objective": objective, "max_length": 64, "steps": 6, "batch": 4, "learning_rate": 1e-2}
    whole.write_recipe(tmp_path, tiny_weights, tune=changed)
    called = whole.sevenfold("run", "small.yaml", "--json")
    assert called.code == 0, called.err
    evaluated = whole.record(tmp_path / "runs" / "small")["evaluate"]["metrics"]
    assert evaluated["metrics"]["loss"]["tuned"] < evaluated["metrics"]["loss"]["base"]
