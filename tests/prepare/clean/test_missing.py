from __future__ import annotations

import pytest

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import DataError, RecipeError
from sevenfold.prepare.clean import Dropped
from sevenfold.prepare.clean.missing import Missing
from sevenfold.prepare.dataset import Row
from tests.prepare.conftest import section_of

LABELS = ["good", "", " NaN ", "null", "bad", "N/A", "none of these", "0"]
LOST = [1, 2, 3, 5]


def row(label: str) -> Row:
    return Row(
        Conversation((Message("user", "Hi"), Message("assistant", "none"))), "rows:1", {"label": label, "id": "7"}
    )


def labels(step: Missing) -> list[str | None]:
    treat = step.start()
    return [None if isinstance(done := treat(row(label)), Dropped) else done.fields["label"] for label in LABELS]


@pytest.mark.parametrize(
    ("step", "value"),
    [(Missing(), None), (Missing(policy="keep"), ""), (Missing(policy="fill", fill="unknown"), "unknown")],
)
def test_what_is_planted_is_found_and_nothing_else(step, value):
    assert labels(step) == [value if place in LOST else label for place, label in enumerate(LABELS)]


def test_only_the_columns_that_are_named_are_looked_at():
    before = row("")
    assert Missing(columns=["id"]).start()(before) is before
    with pytest.raises(DataError, match="no column 'lable'") as caught:
        Missing(columns=["lable"]).start()(before)
    assert caught.value.suggestion == "label"
    assert caught.value.where == "rows:1"


def test_what_counts_as_missing_is_a_choice():
    assert Missing(written=["?"]).start()(row("?")) == Dropped("missing_value")
    assert isinstance(Missing(written=["?"]).start()(row("null")), Row)


def test_a_policy_without_its_value_is_refused():
    assert section_of(source="r.csv", clean=[{"missing": "keep"}]).clean == [Missing(policy="keep")]
    with pytest.raises(RecipeError, match="to fill needs a value"):
        section_of(source="r.csv", clean=[{"missing": "fill"}])
    with pytest.raises(RecipeError, match="'x' is not used by the policy drop"):
        section_of(source="r.csv", clean=[{"missing": {"fill": "x"}}])


def test_rows_of_a_file_with_gaps(run, write):
    path = write("rows.csv", "prompt,completion,label\na,b,x\nc,d,\ne,f,null\n")
    assert run(source=path, clean=["missing"]).report["dropped"] == {"missing_value": 2}
    assert run(source=path, clean=[{"missing": {"policy": "fill", "fill": "?"}}]).report["changed"] == {"missing": 2}
