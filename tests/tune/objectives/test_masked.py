"""Which tokens are hidden, what becomes of them, and what is learnt."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import ModelError
from sevenfold.prepare.dataset import Row
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.methods import Moment
from sevenfold.tune.objectives.masked import Masked

ROW = Row(Conversation((Message("assistant", "the unreadable model writes 0123 answers"),)), "made:1")


@pytest.fixture
def encoder(tiny_encoder):
    return tiny_encoder.encoder()


def test_every_token_of_the_text_may_be_chosen_and_no_special_one(encoder) -> None:
    (sequence,) = Masked().sequences(ROW, encoder)
    kept = [token for token, weight in zip(sequence.ids, sequence.weights, strict=True) if weight]
    unknown = encoder.tokenizer.unk_token_id
    assert kept == [token for token in encoder.encode(ROW.conversation.reference()) if token != unknown]
    assert sequence.ids == encoder.tokenizer(ROW.conversation.reference())["input_ids"]


def test_of_the_chosen_eight_tenths_are_masks_one_is_random_and_one_stays(encoder) -> None:
    objective = Masked(share=0.25)
    (sequence,) = objective.sequences(ROW, encoder)
    long = replace(
        sequence,
        ids=[90] * 40_000,
        weights=[1.0] * 40_000,
        columns={"word": list(range(40_000)), "mask": [4.0] * 40_000},
    )
    found = objective.masked(long, np.random.default_rng(1), 160)
    chosen = [token for token, weight in zip(found.ids, found.weights, strict=True) if weight]
    fates = Counter("mask" if token == 4 else "same" if token == 90 else "other" for token in chosen)
    assert len(chosen) == 10_000
    assert fates["mask"] == pytest.approx(8000, abs=150)
    assert fates["other"] == pytest.approx(1000, abs=100)
    assert fates["same"] == pytest.approx(1000, abs=100)
    # Nothing else changes, and what is learnt is what was there.
    assert all(token == 90 for token, weight in zip(found.ids, found.weights, strict=True) if not weight)
    assert set(found.columns["label"]) == {90.0}


def test_pieces_of_a_word_are_chosen_together(encoder) -> None:
    objective = Masked(whole_words=True, share=0.4)
    (sequence,) = objective.sequences(ROW, encoder)
    words = sequence.columns["word"]
    assert len(set(words)) < len(words) - 2, "no word has several pieces"
    for seed in range(20):
        found = objective.masked(sequence, np.random.default_rng(seed), 160)
        by_word = {word: set() for word in words}
        for word, weight in zip(words, found.weights, strict=True):
            by_word[word].add(weight)
        assert all(len(weights) == 1 for weights in by_word.values())


def test_a_step_decides_what_is_hidden_and_nothing_else(encoder, tiny_encoder) -> None:
    forward = Forward(tiny_encoder.network(torch.float32), torch.float32)
    objective = Masked()
    sequences = objective.sequences(ROW, encoder) * 3

    def ids(step: int) -> list[list[int]]:
        return [one.ids for one in objective.collect(forward, [], sequences, Moment(step, 10, 17)).updates[0]]

    assert ids(3) == ids(3) != ids(4)
    one, other = (objective.validation(forward, [], sequences, budget)[0] for budget in (100, 1))
    assert one == pytest.approx(other, rel=1e-6)


def test_the_loss_is_that_of_transformers_for_its_own_labels(encoder, tiny_encoder) -> None:
    # BERT's own loss averages over labels that are not -100: an independent computation of the same thing.
    network = tiny_encoder.network(torch.float32)
    objective = Masked(share=0.5)
    (sequence,) = [objective.example(one) for one in objective.sequences(ROW, encoder)]
    labels = [
        int(label) if weight else -100
        for label, weight in zip(sequence.columns["label"], sequence.weights, strict=True)
    ]
    expected = network(input_ids=torch.tensor([sequence.ids]), labels=torch.tensor([labels])).loss
    batch = pack([sequence], here=True)
    found = objective.loss(objective.outputs(Forward(network, torch.float32), batch), batch) / objective.weight(batch)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_a_tokenizer_without_a_mask_is_refused(tiny_model) -> None:
    with pytest.raises(ModelError, match="no mask token") as caught:
        Masked().sequences(ROW, tiny_model.encoder())
    assert "pretrain" in str(caught.value)


def test_a_causal_model_and_an_encoder_without_a_head_are_refused(tiny_model, tiny_encoder) -> None:
    with pytest.raises(ModelError, match="is no encoder"):
        Masked().own(None, tiny_model)
    without = tiny_encoder.model_copy(update={"card": tiny_encoder.card.model_copy(update={"headless": True})})
    with pytest.raises(ModelError, match="has no head"):
        Masked().own(None, without)


def test_a_held_out_text_is_asked_for_what_is_hidden(encoder, tiny_encoder) -> None:
    objective = Masked(share=0.5)
    asked = objective.asked(ROW, encoder, 6)
    assert len(asked.sequence) == 6
    forward = Forward(tiny_encoder.network(torch.float32), torch.float32)
    batch = pack([asked.sequence], here=True)
    (value,) = objective.judge(forward, [asked.sequence])
    assert value == pytest.approx(float(objective.outputs(forward, batch).mean()))


def test_masks_are_filled_by_the_likeliest_token(encoder, tiny_encoder) -> None:
    network = tiny_encoder.network(torch.float32)
    ids = encoder.tokenizer("the [MASK] reads")["input_ids"]
    (answer,) = Masked().answers(Forward(network, torch.float32), encoder, [ids])
    with torch.no_grad():
        best = tiny_encoder.network(torch.float32)(torch.tensor([ids])).logits[0, 2].argmax()
    assert answer.text == encoder.decode([*ids[:2], int(best), *ids[3:]], skip_special=True)
