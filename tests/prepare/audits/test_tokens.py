"""Tokens: what is counted equals what a tokenizer says, on a real small one."""

from __future__ import annotations

import json

import pytest

from sevenfold.errors import DataError
from sevenfold.prepare.dataset import Row
from tests.tiny import make_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    make_tokenizer(folder)
    return folder


def rows(long: int) -> list[dict]:
    return [
        *({"prompt": f"the model reads {n}", "completion": "the data and writes the answer"} for n in range(40)),
        *({"prompt": f"سلام دنیا {n}", "completion": "این یک آزمون است"} for n in range(20)),
        *({"prompt": f"the long {n}", "completion": "the answer " * 300} for n in range(long)),
    ]


def encoder_of(folder):
    from sevenfold.prepare.audits.tokens import Tokens
    from sevenfold.prepare.work import Work

    return Tokens(tokenizer=str(folder)).encoder(Work("tokens", 1, folder, None, print, print, print))


def test_lengths_and_what_is_cut_are_those_of_the_encoder(run, write_rows, tokenizer):
    chosen = {"tokens": {"tokenizer": str(tokenizer), "max_length": 128}}
    done = run(source=write_rows(rows(5)), clean=[], audits=[chosen])
    found = done.report["audits"][0]
    encoder = encoder_of(tokenizer)
    made = [sequence for row in done.rows() for sequence in encoder.sequences(row.conversation)]
    figures = found["figures"]
    assert figures["tokens"] == sum(map(len, made))
    assert figures["tokens_learnt"] == sum(sequence.supervised for sequence in made)
    assert figures["rows_over"] == 5
    assert sum(figures["tokens_cut"].values()) == sum(max(0, len(sequence) - 128) for sequence in made)
    assert figures["tokens_cut"]["read"] == 0
    assert figures["rows_with_nothing_left"] == 0
    assert "5 rows are over tune.max_length = 128" in found["advice"][0]
    shown = next(table for table in found["tables"] if "trainer sees" in table["title"])
    assert len(shown["lines"]) == 3
    assert "⟪the data and writes the answer<|im_end|>" in shown["lines"][0][3]


def test_rows_whose_prompt_fills_the_limit_have_nothing_left(audit, tokenizer):
    planted = [{"prompt": "the answer " * 300, "completion": "yes"}, {"prompt": "the answer", "completion": "yes"}]
    figures = audit(planted, {"tokens": {"tokenizer": str(tokenizer), "max_length": 64}})["figures"]
    assert figures["rows_over"] == figures["rows_with_nothing_left"] == 1
    assert figures["tokens_cut"]["learnt"] == figures["tokens_learnt"] / 2


def test_a_language_costs_its_tokens_for_a_word(audit, tokenizer):
    planted = [
        *(
            {"prompt": f"the model reads the data and writes the answer {n}", "completion": "the data"}
            for n in range(30)
        ),
        *(
            {"prompt": f"کتابخانه ساعت نه صبح باز می‌شود و شش عصر بسته می‌شود {n}", "completion": "بله، درست است"}
            for n in range(30)
        ),
    ]
    figures = audit(planted, {"tokens": str(tokenizer)})["figures"]
    encoder = encoder_of(tokenizer)
    persian = figures["languages"]["fa"]
    texts = [text for row in planted[30:] for text in (row["prompt"], row["completion"])]
    assert persian["tokens"] <= sum(len(encoder.encode(text)) for text in texts)
    assert figures["english"]["from"] == "the rows' own English"
    assert persian["times_english"] > 1.5
    assert persian["bytes_per_token"] > persian["characters_per_token"]
    assert persian["pieces_of_letters_share"] > 0.2
    assert figures["languages"]["en"]["pieces_of_letters_share"] == 0


def test_a_tokenizer_file_alone_and_a_missing_one(audit, tokenizer):
    found = audit(rows(0), {"tokens": str(tokenizer / "tokenizer.json")})
    assert found["figures"]["tokens"] > 0
    with pytest.raises(DataError, match="there is no tokenizer"):
        audit(rows(0), {"tokens": "nowhere"})


def test_rows_that_the_template_refuses_are_counted(tokenizer, run, write_rows):
    from sevenfold.console import Console
    from sevenfold.errors import ModelError
    from sevenfold.prepare.fit import fit

    done = run(source=write_rows(rows(0)), clean=[], audits=[])

    def never(row: Row, encoder):
        raise ModelError("no")

    nothing = fit(done.dataset, encoder_of(tokenizer), 128, Console(), never).as_json("tokens")
    assert json.loads(json.dumps(nothing))["figures"] == {"rows": 0, "refused": {"no": 60}}

    def refuse(row: Row, encoder):
        if "سلام" in row.conversation.messages[0].content:
            raise ModelError("the chat template refuses the conversation")
        return encoder.sequences(row.conversation)

    found = fit(done.dataset, encoder_of(tokenizer), 128, Console(), refuse)
    assert found.figures["refused"] == {"the chat template refuses the conversation": 20}
    assert any("20 rows cannot be made tokens" in advice for advice in found.advice)
