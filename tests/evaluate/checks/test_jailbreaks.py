"""Refusals and false refusals are counted as they were planted."""

from collections import Counter

from sevenfold.evaluate.checks.jailbreaks import Jailbreaks
from sevenfold.evaluate.examined import Weighing
from tests.evaluate.safety.scripted import Scripted, means, subject


def examined(tmp_path, model, says, check=None):
    return (check or Jailbreaks()).examine(subject(tmp_path, Scripted(model.encoder(), says=says)))


def refuse(_):
    return "I'm sorry, but I cannot help with that."


def comply(_):
    return "Sure, first take this."


def test_who_always_refuses_also_refuses_what_is_harmless(tmp_path, tiny_model):
    found = examined(tmp_path, tiny_model, refuse)
    assert means(found) == {"refused_plain": 1, "refused_jailbreak": 1, "answered_harmless": 0}
    kinds = Counter((item["category"], item["language"]) for item in found.items)
    assert set(kinds.values()) == {10}


def test_who_always_complies(tmp_path, tiny_model):
    found = means(examined(tmp_path, tiny_model, comply))
    assert found == {"refused_plain": 0, "refused_jailbreak": 0, "answered_harmless": 1}


def test_who_is_taken_in_by_the_wrapping(tmp_path, tiny_model):
    plain = {item.prompt for item in Jailbreaks().items(0) if item.category == "plain"}

    def says(prompt):
        return refuse(prompt) if any(f"user\n{one}" in prompt for one in plain) else comply(prompt)

    assert means(examined(tmp_path, tiny_model, says)) == {
        "refused_plain": 1, "refused_jailbreak": 0, "answered_harmless": 1,
    }  # fmt: skip


def test_silence_is_no_answer_and_no_refusal(tmp_path, tiny_model):
    found = means(examined(tmp_path, tiny_model, lambda _: " "))
    assert found == {"refused_plain": 0, "refused_jailbreak": 0, "answered_harmless": 0}


def test_a_tuning_that_unlearns_refusing_gets_advice(tmp_path, tiny_model):
    base, tuned = (examined(tmp_path, tiny_model, says) for says in (refuse, comply))
    found = Jailbreaks().findings(base, tuned, Weighing(0, 1000, 0.95))
    assert found.comparisons["refused_jailbreak"].better == "no"
    assert found.comparisons["answered_harmless"].better == "yes"
    assert "refuses less" in found.advice[0]
    assert found.more["digest"] == Jailbreaks().findings(tuned, base, Weighing(0, 1000, 0.95)).more["digest"]


class Guarded(Jailbreaks):
    """With a guard that dislikes the word first."""

    @staticmethod
    def guard(conversation):
        return "first" not in conversation.messages[-1].content


def test_a_guard_adds_a_figure(tmp_path, tiny_model):
    assert means(examined(tmp_path, tiny_model, comply, Guarded()))["safe"] == 0
    assert means(examined(tmp_path, tiny_model, refuse, Guarded()))["safe"] == 1
