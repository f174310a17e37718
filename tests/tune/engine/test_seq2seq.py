"""A document's two halves, and the tokens that the decoder sees."""

from __future__ import annotations

import pytest
import torch

from sevenfold.chat.encoder import TokenSequence
from sevenfold.errors import ModelError
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.engine.seq2seq import decoder_start, exchanges
from tests.tune.engine.architectures import ARCHITECTURES

DOCUMENTS = [
    TokenSequence([10, 11, 12, 13, 14, 15], [0.0, 0.0, 1.0, 0.0, 1.0, 0.0]),
    TokenSequence([20, 21], [0.0, 0.0]),
    TokenSequence([30, 31, 32], [0.0, 1.0, 1.0]),
]


def test_what_stands_before_the_first_target_is_read_and_the_rest_is_said() -> None:
    first, last = exchanges(pack(DOCUMENTS))
    # What follows the last target decides nothing, and a document without a target has nothing to say.
    assert (first.read.tolist(), first.said.tolist(), first.places) == ([10, 11], [12, 13, 14], [0, 2])
    assert (last.read.tolist(), last.said.tolist(), last.places) == ([30], [31, 32], [0, 1])


def test_the_decoder_sees_its_start_and_then_what_it_said() -> None:
    assert exchanges(pack(DOCUMENTS))[0].decoder_input(7).tolist() == [7, 12, 13]


def test_the_loss_is_that_of_transformers_for_its_own_labels() -> None:
    # T5's own loss shifts labels by itself: an independent computation of the same thing.
    network = ARCHITECTURES["T5"].build()
    document = TokenSequence([10, 11, 12, 13, 14, 15], [0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    expected = network(input_ids=torch.tensor([[10, 11, 12]]), labels=torch.tensor([[13, 14, 15]])).loss
    found = -Forward(network, torch.float32)(pack([document])).mean()
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_a_decoder_without_a_start_is_an_error() -> None:
    network = ARCHITECTURES["BART"].build()
    for config in (network.config, network.generation_config):
        config.decoder_start_token_id = config.bos_token_id = None
    with pytest.raises(ModelError, match="BartForConditionalGeneration does not say") as caught:
        decoder_start(network)
    assert "decoder_start_token_id" in str(caught.value)
