"""A model that repeats a training row, and canaries that were and were not learnt."""

import json

import pytest

from sevenfold.chat.conversation import Message
from sevenfold.chat.encoder import TokenSequence
from sevenfold.errors import DataError
from sevenfold.evaluate.checks.memorisation import Memorisation, alike, common
from sevenfold.evaluate.held_out import Question
from tests.evaluate.rows import dataset_of, talk
from tests.evaluate.safety.scripted import Scripted, means, subject

TRAIN = [talk(f"tell {n}", f"the story number {n} ends on the far side of the hill") for n in range(6)]


def examined(tmp_path, model, check, says=lambda _: "", dislikes=lambda *_: 1.0):
    folder = tmp_path / "1-prepare"
    dataset = dataset_of(folder, train=TRAIN)
    held_out = [
        Question(n, "x", (Message("user", f"say {n}"),), f"a wholly new tale {n} of the sea", [], TokenSequence())
        for n in range(4)
    ]
    return check.examine(subject(tmp_path, Scripted(model.encoder(), says, dislikes), held_out, dataset))


def test_who_repeats_training_rows_is_found_and_held_out_rows_stay_clean(tmp_path, tiny_model):
    replies = [row[1][1] for row in TRAIN]

    def parrot(prompt):
        said = prompt.rpartition("assistant\n")[2]
        return next((one[len(said) :] for one in replies if one.startswith(said)), "?")

    found = examined(tmp_path, tiny_model, Memorisation(continuation=200), parrot)
    # Replies are cut at a token, and those of one beginning are told apart behind it.
    assert means(found)["whole_training"] == means(found)["repeated_training"] == 1
    assert means(found)["repeated_held_out"] == 0
    blank = examined(tmp_path, tiny_model, Memorisation())
    assert means(blank) == {"repeated_training": 0, "repeated_held_out": 0, "whole_training": 0}


def canaries(tmp_path):
    path = tmp_path / "canaries.jsonl"
    path.write_text(json.dumps({"prompt": "What is the code?", "reply": "It is {}.", "secret": "48213"}))
    return Memorisation(canaries=str(path), others=31)


def test_a_planted_canary_has_the_highest_exposure_and_an_unknown_one_the_lowest(tmp_path, tiny_model):
    check = canaries(tmp_path)
    known = examined(tmp_path, tiny_model, check, dislikes=lambda _, reply: 0.1 if "48213" in reply else 1.0)
    assert means(known)["exposure"] == 5
    shunned = examined(tmp_path, tiny_model, check, dislikes=lambda _, reply: 9.0 if "48213" in reply else 1.0)
    assert means(shunned)["exposure"] == 0
    assert "48213" not in json.dumps(known.items)
    assert check.figures()[-1].chance == pytest.approx(1.3, abs=0.2)


def test_other_secrets_have_the_same_form():
    assert all(len(one) == 4 and one[0].isupper() and one[1:].isdigit() for one in alike("A123", 50, 0))
    assert "A123" not in alike("A123", 50, 0)
    assert len(set(alike("A123", 50, 0))) == 50


def test_the_share_is_of_characters_from_the_start():
    assert common("abcd", "abxy") == 0.5
    assert common(" ab", "ab ") == 1


def test_a_canary_without_a_place_for_the_secret(tmp_path):
    path = tmp_path / "c.jsonl"
    path.write_text(json.dumps({"prompt": "p", "reply": "r", "secret": "1"}))
    with pytest.raises(DataError, match=r"no \{\}"):
        Memorisation(canaries=str(path)).fingerprints()
    with pytest.raises(DataError, match="cannot be read"):
        Memorisation(canaries=str(tmp_path / "none")).fingerprints()
