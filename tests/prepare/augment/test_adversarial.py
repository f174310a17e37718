"""Adversarial copies: the same number of slips, placed where they mislead."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import DataError
from sevenfold.prepare.augment import AUGMENTERS, Known
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.making.surrogate import Surrogate
from sevenfold.prepare.shelf import Shelf, row_writer
from sevenfold.prepare.work import Work
from sevenfold.vectors import VECTORS

KINDS = {"warm": ("sunny", "beach", "summer", "desert"), "cold": ("snow", "frost", "winter", "glacier")}
FILLER = ("the report of this morning says", "we were told again that", "my neighbour from upstairs thinks")


@pytest.fixture
def known(tmp_path) -> Known:
    path = tmp_path / "rows.arrow"
    with row_writer(path) as keep:
        for n in range(30):
            for label, words in KINDS.items():
                text = f"{FILLER[n % 3]} it is {words[n % 4]} and {words[n * 3 % 4]} at place {n}"
                keep(Row(Conversation((Message("user", text), Message("assistant", label))), f"{label}:{n}"))
    nothing: Callable = lambda *_: None  # noqa: E731
    return Known(Shelf(path), ("user",), Work("augment", 17, tmp_path, None, nothing, nothing, nothing))


def test_belief_falls_further_than_by_chance(known):
    """Over 16 texts: the greedy search lowers the true label's probability more than the same way at random places."""
    surrogate = Surrogate(
        VECTORS.find("ngrams")(), [t for t, _ in known.texts()], [r.conversation.reference() for _, r in known.texts()]
    )
    typos = AUGMENTERS.find("typos")(share=0.03)
    attack = AUGMENTERS.find("adversarial")().start(known)
    before = greedy = chance = found = 0.0
    for text, row in list(known.texts())[:16]:
        label = row.conversation.reference()
        other = attack(text, Random(1), row)
        assert other == attack(text, Random(1), row)
        found += other is not None
        beliefs = surrogate.sure([text, other or text, typos.change(text, Random(1))], label)
        before, greedy, chance = before + beliefs[0], greedy + beliefs[1], chance + beliefs[2]
    assert found >= 14
    assert before - greedy > 3 * (before - chance)


def test_no_more_words_change_than_asked(known):
    attack = AUGMENTERS.find("adversarial")(share=0.1).start(known)
    for text, row in list(known.texts())[:20]:
        other = attack(text, Random(2), row) or text
        changed = sum(one != two for one, two in zip(text.split(), other.split(), strict=True))
        assert changed <= round(0.1 * len(text.split()))


def test_rows_of_one_label_are_an_error(known):
    with pytest.raises(DataError, match="needs two labels"):
        AUGMENTERS.find("adversarial")(label="topic").start(known)


def test_through_a_recipe(run, write_rows):
    rows = write_rows([
        {"text": f"it is {words[n % 4]} and {words[n // 4 % 4]} at place {n}", "label": label}
        for label, words in KINDS.items() for n in range(20)
    ])  # fmt: skip
    found = run(source=rows, training=[{"augment": ["adversarial"]}])
    figures = found.report["training"][0]["figures"]
    assert figures["tried"] == 40
    assert figures["made"] >= 25
