"""The step pii: masks, drops, flags, counts, and leaves no trace in what is dropped."""

from __future__ import annotations

import json
import sys

import pytest

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import DataError, MachineError, RecipeError
from sevenfold.prepare.clean import Dropped
from sevenfold.prepare.clean.pii import Pii
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.pii.phone import Phone
from tests.prepare.conftest import section_of


def row(prompt: str, reply: str = "Hello", **fields: str) -> Row:
    return Row(Conversation((Message("user", prompt), Message("assistant", reply))), "rows:1", fields)


def test_a_value_has_one_placeholder_in_all_of_its_row_however_it_is_written():
    masked = Pii().start()(
        row("Sara@post.ir or ali@post.ir, 0912 345 6789", "Dear sara@post.ir, ۰۹۱۲۳۴۵۶۷۸۹", rejected="To ali@post.ir")
    )
    assert isinstance(masked, Row)
    assert [message.content for message in masked.conversation.messages] == [
        "[EMAIL_1] or [EMAIL_2], [PHONE_1]",
        "Dear [EMAIL_1], [PHONE_1]",
    ]
    assert masked.fields == {"rejected": "To [EMAIL_2]"}


def test_clean_rows_are_the_same_object_and_masked_rows_do_not_change_again():
    check = Pii().start()
    clean = row("Nothing here: 12 apples")
    assert check(clean) is clean
    masked = check(row("a@b.ir"))
    assert isinstance(masked, Row)
    assert check(masked) is masked


def test_other_columns_are_counted_and_masked_only_if_asked():
    check = Pii().start()
    given = row("Hi", contact="a@b.ir", label="x")
    assert check(given) is given
    assert check.figures["left in columns"] == 1
    masked = Pii(columns=True).start()(given)
    assert isinstance(masked, Row)
    assert masked.fields == {"contact": "[EMAIL_1]", "label": "x"}


def test_drop_flag_count_and_what_is_allowed():
    given = row("mail a@b.ir, +98 912 345 6789 and a@b.ir")
    assert Pii(action="drop").start()(given) == Dropped("personal_data")
    assert Pii(action="flag").start()(given) == row(given.conversation.messages[0].content, pii="email,phone")
    counting = Pii(action="count").start()
    assert counting(given) is given
    assert counting.figures == {"email": 2, "phone": 1, "rows with any": 1, "left in columns": 0}
    assert Pii(allow=("a@b.ir", "+98 912 345 6789")).start()(given) is given


def test_a_column_of_the_flag_s_name_is_refused():
    with pytest.raises(DataError, match="has a column 'pii' already"):
        Pii(action="flag").start()(row("a@b.ir", pii="no"))


PLANTED = {"email": 3, "phone": 2, "card": 1, "iban": 1, "national_id": 1, "ip": 1, "ssn": 1, "credentials": 1}


def test_the_report_has_as_many_as_were_planted_and_nothing_of_them_is_written(run, write_rows):
    values = ["a@b.ir", "سلام c@d.ir", "a@b.ir", "0912 345 6789", "+44 20 7946 0958", "4111 1111 1111 1111"]
    values += ["IR062960000000100324200001", "کد ملی ۰۰۱۲۳۴۵۶۷۹", "8.8.8.8", "219-45-6789", "https://u:pw@h.ir"]
    rows = [{"prompt": f"Row {number}: {value}", "completion": "Yes"} for number, value in enumerate(values)]
    # These are dropped, one before and one after what is personal in it was masked.
    rows += [{"prompt": "of gone@post.ir", "completion": ""}, rows[0]]
    done = run(source=write_rows(rows), clean=["empty", "pii", "duplicates"])
    found = done.report["found"]["pii"]
    assert {kind: count for kind, count in found.items() if kind in PLANTED} == PLANTED | {"email": 4}
    assert found["rows with any"] == 12
    assert done.report["changed"]["pii"] == 12
    assert done.report["dropped"] == {"empty_reply": 1, "duplicate": 1}
    assert [line["messages"][0]["content"] for line in done.dropped] == ["of [EMAIL_1]", "Row 0: [EMAIL_1]"]
    written = "".join(map(str, done.rows())) + json.dumps(done.report) + json.dumps(done.dropped)
    assert not [value for value in ("@b.ir", "@d.ir", "gone", "345 6789", "1111 1111", "u:pw") if value in written]


def test_rows_that_cannot_be_read_are_masked_in_the_dropped_ones_too(run, write_rows):
    good = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]}
    bad = {"messages": [{"role": "user", "content": "a@b.ir"}]}
    done = run(source=write_rows([good, bad]), clean=["pii"])
    assert "a@b.ir" not in json.dumps(done.dropped)
    assert len(done.dropped) == 1


def test_a_detector_of_the_user_s_own_has_its_own_placeholder(tmp_path):
    file = tmp_path / "staff.py"
    file.write_text(
        "import re\n"
        "from sevenfold.prepare.pii import Detector, Span\n"
        "class Staff(Detector):\n"
        "    '''Numbers of staff.'''\n"
        "    def find(self, text):\n"
        "        return [Span(*found.span()) for found in re.finditer(r'S-\\d+', text)]\n"
    )
    step = section_of(source="a.csv", clean=[{"pii": {"kinds": [{"file": str(file)}]}}]).clean[0]
    masked = step.start()(row("S-12, S-13 and a@b.ir"))
    assert isinstance(masked, Row)
    assert masked.conversation.messages[0].content == "[STAFF_1], [STAFF_2] and a@b.ir"


def test_an_unknown_kind_is_refused_with_the_nearest():
    with pytest.raises(RecipeError) as caught:
        section_of(source="a.csv", clean=[{"pii": {"kinds": ["emial"]}}])
    assert caught.value.suggestion == "email"


def test_the_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    with pytest.raises(MachineError) as caught:
        list(Phone().find("0912 345 6789"))
    assert "sevenfold[prepare]" in str(caught.value)
