"""Every dimension finds what was planted, and not its opposite."""

from __future__ import annotations

from collections import Counter

import pytest

from sevenfold.errors import DataError
from sevenfold.evaluate.safety import DIMENSIONS
from sevenfold.evaluate.safety._items import Item, drawn, read_items
from tests.evaluate.safety.scripted import Scripted, means, subject

TEN = [
    "adversarial_robustness", "ethics", "fairness", "hallucination", "misleading_demonstrations",
    "out_of_distribution", "privacy", "stereotype", "tone", "toxicity",
]  # fmt: skip
CHOICES = {
    "ethics": "agrees",
    "hallucination": "truthful",
    "tone": "fitting",
    "privacy": "discreet",
    "toxicity": "civil",
}


def asked(name, tmp_path, model, **rules):
    dimension = DIMENSIONS.find(name)()
    return means(dimension.examine(subject(tmp_path, Scripted(model.encoder(), **rules)), dimension.items()))


def test_the_ten_are_there_in_both_languages_and_say_what_they_cannot_see():
    assert DIMENSIONS.names() == TEN
    for name in TEN:
        dimension = DIMENSIONS.find(name)()
        items = dimension.items()
        spoken = Counter(item.language for item in items)
        assert len(items) >= 20
        assert spoken["en"] == spoken["fa"]
        assert len({item.key() for item in items}) == len(items)
        assert dimension.blind.endswith((".", "even."))


@pytest.mark.parametrize(("name", "figure"), CHOICES.items())
def test_a_model_that_likes_the_wanted_reply_and_one_that_likes_the_other(name, figure, tmp_path, tiny_model):
    items = DIMENSIONS.find(name)().items()
    right = {(item.prompt, item.options[item.right].strip()) for item in items}

    def wanted(prompt, reply):
        return 1.0 if any(said in prompt and reply == good for said, good in right) else 2.0

    assert asked(name, tmp_path, tiny_model, dislikes=wanted)[figure] == 1
    assert asked(name, tmp_path, tiny_model, dislikes=lambda *one: 3 - wanted(*one))[figure] == 0


def test_who_prefers_stereotypes_is_found(tmp_path, tiny_model):
    bad = {item.options[1 - item.right] for item in DIMENSIONS.find("stereotype")().items()}

    def prejudiced(prompt, reply):
        return 1.0 if reply in bad else 2.0

    # Whole sentences are compared: the rule must outweigh a sentence that is a few tokens longer.
    assert asked("stereotype", tmp_path, tiny_model, dislikes=prejudiced)["stereotyped"] == 1
    assert asked("stereotype", tmp_path, tiny_model, dislikes=lambda *one: 3 - prejudiced(*one))["stereotyped"] == 0


@pytest.mark.parametrize("name", ["adversarial_robustness", "out_of_distribution", "misleading_demonstrations"])
def test_who_is_right_until_the_question_changes(name, tmp_path, tiny_model):
    items = DIMENSIONS.find(name)().items()

    def fragile(prompt, reply):
        item = next(one for one in items if one.prompt in prompt or one.other in prompt)
        wanted = item.options[item.right] == reply
        return 1.0 if wanted == (item.prompt in prompt) else 2.0

    assert asked(name, tmp_path, tiny_model, dislikes=fragile) == {"right_plain": 1, "right": 0, "kept": 0}
    steady = asked(name, tmp_path, tiny_model, dislikes=lambda prompt, reply: 1.0 + (reply in ("bad", "بد")))
    assert steady["kept"] == 1
    assert steady["right"] == steady["right_plain"] == 0.5


def test_who_decides_by_the_group_is_unfair(tmp_path, tiny_model):
    second = ("Mrs", "old", "Somali", "Muslim", "خانم", "پیر", "افغان", "یهودی")

    def unfair(prompt, reply):
        return 1.0 + ((reply in ("no", "نه")) != any(word in prompt for word in second))

    found = asked("fairness", tmp_path, tiny_model, dislikes=unfair)
    assert found["same_decision"] == 0
    assert found["moved"] > 0.2
    assert found["right_decision"] is None
    assert asked("fairness", tmp_path, tiny_model)["moved"] < 0.9


def test_who_tells_the_secret_and_who_does_not(tmp_path, tiny_model):
    assert asked("privacy", tmp_path, tiny_model, says=lambda prompt: prompt)["kept_secret"] == 0
    assert asked("privacy", tmp_path, tiny_model, says=lambda _: "No.")["kept_secret"] == 1


def test_who_insults_and_who_says_nothing(tmp_path, tiny_model):
    assert asked("toxicity", tmp_path, tiny_model, says=lambda _: "You idiot")["clean"] == 0
    assert asked("toxicity", tmp_path, tiny_model, says=lambda _: "بی شعور")["clean"] == 0
    assert asked("toxicity", tmp_path, tiny_model, says=lambda _: "Good day, Mr Dickens")["clean"] == 1
    assert asked("toxicity", tmp_path, tiny_model, says=lambda _: " ")["clean"] is None


def test_some_items_are_drawn_from_every_group_evenly():
    items = [Item(f"{n}", "en" if n < 15 else "fa") for n in range(20)]
    some = drawn(items, 8, 3)
    assert Counter(item.language for item in some) == {"en": 4, "fa": 4}
    assert drawn(items, 8, 3) == some != drawn(items, 8, 4)
    assert drawn(items, 99, 3) == items


def test_a_line_that_is_no_item_says_where(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"prompt": "p"}\n{"promt": "p"}\n')
    with pytest.raises(DataError, match="no item") as caught:
        read_items(path)
    assert caught.value.where == f"{path}:2"
