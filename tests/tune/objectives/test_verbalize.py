"""Labels by their words: at the mask of an encoder, at the first token of a causal model's reply."""

from __future__ import annotations

import pytest
import torch

from sevenfold.errors import DataError, ModelError, RecipeError
from sevenfold.record import Entry
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.objectives import _verbalisers
from sevenfold.tune.objectives.verbalize import Verbalize, calibrated, word_ids
from sevenfold.tune.section import TuneSection
from tests.tune.objectives import labelled

MOOD = Verbalize(labels=("bad", "good"), pattern="{text} It is {mask}.")


def mood(number: int):
    return labelled.row(number, "the data reads " + ("good", "bad")[number % 2], ("good", "bad")[number % 2])


def forward_of(model, objective) -> Forward:
    network = model.network(torch.float32)
    forward = Forward(network, torch.float32)
    forward.own = objective.own(network, model)
    return forward


def test_an_encoder_is_asked_at_its_mask(tiny_encoder) -> None:
    encoder = tiny_encoder.encoder()
    (sequence,) = MOOD.sequences(mood(0), encoder)
    (place,) = [place for place, weight in enumerate(sequence.weights) if weight]
    assert sequence.ids[place] == encoder.tokenizer.mask_token_id
    forward = forward_of(tiny_encoder, MOOD)
    found = MOOD.outputs(forward, pack([sequence], here=True))
    with torch.no_grad():
        logits = tiny_encoder.network(torch.float32)(torch.tensor([sequence.ids])).logits[0, place]
    words = encoder.tokenizer.convert_tokens_to_ids(["bad", "good"])
    torch.testing.assert_close(found[0], logits.log_softmax(-1)[words], rtol=1e-4, atol=1e-5)


def test_a_causal_model_is_asked_where_its_reply_begins(tiny_model) -> None:
    encoder = tiny_model.encoder()
    objective = Verbalize(labels=("bad", "good"), pattern="{text}\n\n{labels}? {mask}")
    (sequence,) = objective.sequences(mood(0), encoder)
    assert encoder.decode(sequence.ids).endswith("the data reads good\n\nbad, good?<|im_end|>\n<|im_start|>assistant\n")
    found = objective.outputs(forward_of(tiny_model, objective), pack([sequence], here=True))
    with torch.no_grad():
        logits = tiny_model.network(torch.float32)(torch.tensor([sequence.ids])).logits[0, -1]
    words = [encoder.encode(word)[0] for word in ("bad", "good")]
    torch.testing.assert_close(found[0], logits.log_softmax(-1)[words], rtol=1e-4, atol=1e-5)


def test_the_loss_is_cross_entropy_over_the_labels(tiny_encoder) -> None:
    encoder = tiny_encoder.encoder()
    batch = pack([one for number in range(3) for one in MOOD.sequences(mood(number), encoder)], here=True)
    said_BK = torch.tensor([[-1.0, -3.0], [-2.0, -2.5], [-4.0, -1.0]])
    # The labels are good, bad, good: -log softmax of 1, 0, 1.
    expected = torch.nn.functional.cross_entropy(said_BK, torch.tensor([1, 0, 1]), reduction="sum")
    torch.testing.assert_close(MOOD.loss(said_BK, batch), expected)
    assert float(MOOD.figures(said_BK, batch)["accuracy"]) == 2.0


def test_calibration_by_hand() -> None:
    # A model that says yes to nothing with 0.8 leans there by four to one; 0.7 is then a no.
    found = calibrated(torch.tensor([[0.7, 0.3]]), torch.tensor([0.8, 0.2]))
    torch.testing.assert_close(found, torch.tensor([[0.875, 1.5]]) / 2.375)


def test_answers_are_labels_with_probabilities(tiny_encoder) -> None:
    encoder = tiny_encoder.encoder()
    for objective in (MOOD, MOOD.changed(calibrate=True)):
        forward = forward_of(tiny_encoder, objective)
        prompts = [encoder.prompt(mood(number).conversation.prompt()) for number in range(3)]
        for answer in objective.answers(forward, encoder, prompts):
            assert sum(answer.labels.values()) == pytest.approx(1.0)
            assert answer.text == max(answer.labels, key=lambda label: answer.labels[label])


def test_a_word_of_several_tokens_is_refused_for_an_encoder(tiny_encoder) -> None:
    with pytest.raises(DataError, match="needs 2 tokens for 'good bad'") as caught:
        word_ids(MOOD.changed(words={"good": "good bad"}), tiny_encoder.encoder())
    assert "search_words" in str(caught.value)


def test_words_that_begin_alike_are_refused(tiny_model) -> None:
    objective = Verbalize(labels=("the data", "the model"), pattern="{text}")
    with pytest.raises(DataError, match="'the data' and 'the model' begin with the same token"):
        word_ids(objective, tiny_model.encoder())


def test_a_pattern_without_a_mask_or_a_text_is_refused(tiny_encoder) -> None:
    with pytest.raises(RecipeError, match="no place for the answer"):
        MOOD.changed(pattern="{text} good").prompt("data", tiny_encoder.encoder())
    with pytest.raises(RecipeError, match="asks about nothing"):
        Verbalize(pattern="It is {mask}.").check(TuneSection())


def test_an_unknown_label_is_named(tiny_encoder) -> None:
    row = labelled.row(1, "the data", "ugly")
    with pytest.raises(DataError, match="no label 'ugly'") as caught:
        MOOD.sequences(row, tiny_encoder.encoder())
    assert caught.value.alternatives == ("bad", "good")


def test_the_pattern_is_the_one_that_answers_most_rows(tiny_encoder, environment, tmp_path) -> None:
    dataset = labelled.dataset(mood, tmp_path / "1-prepare")
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir()
    asking = Verbalize(patterns=("{text} {mask}", "{mask} {text}"), search_words=2).settled(dataset)
    chosen = asking.searched(tiny_encoder, dataset, environment, entry)
    tried = [
        judged
        for pattern in asking.patterns
        for judged in _verbalisers.judge(
            asking.changed(pattern=pattern), forward_of_any(tiny_encoder), tiny_encoder.encoder(), dataset, "validation"
        )
    ]
    best = max(tried, key=lambda judged: judged.rank)
    assert (chosen.pattern, chosen.words) == (best.objective.pattern, best.objective.words)
    assert chosen.searched(tiny_encoder, dataset, environment, entry) is chosen
    assert any("labels are said with" in note for note in entry.record.notes)


def forward_of_any(model) -> Forward:
    return Forward(model.network(torch.float32), torch.float32)


def test_a_choice_of_words_is_judged_by_what_the_model_says(tiny_encoder, tmp_path) -> None:
    dataset = labelled.dataset(mood, tmp_path / "1-prepare")
    encoder, forward = tiny_encoder.encoder(), forward_of(tiny_encoder, MOOD)
    (judged,) = _verbalisers.judge(MOOD, forward, encoder, dataset, "validation")
    rows = list(dataset.rows("validation"))
    answers = MOOD.answers(forward, encoder, [encoder.prompt(row.conversation.prompt()) for row in rows])
    right = [answer.text == row.conversation.reference() for answer, row in zip(answers, rows, strict=True)]
    assert judged.accuracy == pytest.approx(sum(right) / len(right))


def test_an_encoder_without_a_head_is_refused(tiny_encoder) -> None:
    without = tiny_encoder.model_copy(update={"card": tiny_encoder.card.model_copy(update={"headless": True})})
    with pytest.raises(ModelError, match="no word has a probability") as caught:
        MOOD.own(None, without)
    assert "setfit" in str(caught.value)
