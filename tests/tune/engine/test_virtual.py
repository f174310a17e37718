"""Virtual tokens in the engine: packed, computed again, read by encoders."""

from __future__ import annotations

import pytest
import torch

from sevenfold.chat.encoder import TokenSequence
from sevenfold.errors import ModelError
from sevenfold.tune.engine import activations, virtual
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.methods import METHODS
from tests.tune.engine.architectures import ARCHITECTURES

COUNT = 3


def test_virtual_tokens_are_further_rows_of_the_table() -> None:
    torch.manual_seed(0)
    plain, table = torch.nn.Embedding(10, 4), torch.nn.Embedding(13, 4)
    vectors = virtual.Vectors(torch.randn(3, 4))
    table.weight.data = torch.cat([plain.weight.data, vectors.rows.data])
    virtual.Lead(10, vectors).hang(plain)
    ids = torch.tensor([[12, 3, 10, 10, 9], [0, 1, 2, 11, 10]])
    found, expected, upstream = plain(ids), table(ids), torch.randn(2, 5, 4)
    assert torch.equal(found, expected)
    found.backward(upstream)
    expected.backward(upstream)
    torch.testing.assert_close(vectors.rows.grad, table.weight.grad[10:])
    assert plain.beside.index.tolist() == [[2, -7, 0, 0, -1], [-10, -9, -8, 1, 0]]


def test_a_network_whose_other_layers_look_ids_up_is_refused() -> None:
    network = ARCHITECTURES["Llama"].build()
    network.model.second = torch.nn.Embedding(96, 32)
    with pytest.raises(ModelError, match=r"look ids up \(model\.second\)"):
        virtual.put_in(network, None)


def led(network, method, lengths=(6, 3, 9)) -> list[TokenSequence]:
    lead = method.lead(network.config.get_text_config().vocab_size)
    generator = torch.Generator().manual_seed(1)
    return [
        TokenSequence(torch.randint(3, 90, (n,), generator=generator).tolist(), [0.0, *[1.0] * (n - 1)]).led(lead)
        for n in lengths
    ]


def attached(name, kind):
    network = ARCHITECTURES[name].build()
    torch.manual_seed(1)
    method = METHODS.find(kind)(tokens=COUNT)
    method.attach(network)
    with torch.no_grad():
        for weight in method.trainable(network).values():
            weight.add_(torch.randn_like(weight) * 0.3)
    return network, method


def gradients(network, method, losses):
    torch.stack(losses).sum().backward()
    found = {name: weight.grad.clone() for name, weight in method.trainable(network).items()}
    network.zero_grad(set_to_none=True)
    return found


@pytest.mark.parametrize("kind", ["prompt", "p_tuning", "prefix"])
@pytest.mark.parametrize("name", ["Llama", "Mistral", "Gemma 2", "OPT", "gpt-oss", "Qwen3"])
def test_packed_documents_give_the_losses_and_gradients_of_each_alone(name, kind) -> None:
    network, method = attached(name, kind)
    forward, sequences = Forward(network, torch.float32), led(network, method)
    packed = forward(pack(sequences))
    mine = gradients(network, method, [packed.sum()])
    network.set_attn_implementation("eager")
    logprobs = []
    for sequence in sequences:
        ids = torch.tensor([sequence.ids])
        logits = network(ids, use_cache=False).logits[0, COUNT:-1]
        logprobs.append(torch.log_softmax(logits, -1).gather(-1, ids[0, COUNT + 1 :, None])[:, 0])
    torch.testing.assert_close(packed, torch.cat(logprobs), rtol=1e-4, atol=1e-4)
    plain = gradients(network, method, [torch.cat(logprobs).sum()])
    for weight, gradient in plain.items():
        torch.testing.assert_close(mine[weight], gradient, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["T5", "BART"])
def test_an_encoder_reads_virtual_tokens(name) -> None:
    network, method = attached(name, "prompt")
    forward, (sequence, *_) = Forward(network, torch.float32), led(network, method)
    sequence.weights[: COUNT + 3] = [0.0] * (COUNT + 3)
    found = forward(pack([sequence]))
    read, said = sequence.ids[: COUNT + 3], sequence.ids[COUNT + 3 :]
    start = network.config.decoder_start_token_id
    logits = network(torch.tensor([read]), decoder_input_ids=torch.tensor([[start, *said[:-1]]])).logits[0]
    expected = torch.log_softmax(logits, -1).gather(-1, torch.tensor(said)[:, None])[:, 0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_passes_that_wait_for_each_other_are_computed_again_with_their_own_places() -> None:
    """Two passes forward and then both backward: what is computed again is of the first, not of the last."""
    found = []
    for blocks in (0, 2):
        network, method = attached("Llama", "prefix")
        network.train()
        activations.recompute(network, blocks)
        forward = Forward(network, torch.float32)
        # Of one length, and the virtual tokens of the second stand elsewhere.
        first, second = led(network, method, (8, 8))
        second = TokenSequence(*([*part[COUNT:], *part[:COUNT]] for part in (second.ids, second.weights)))
        found.append(gradients(network, method, [forward(pack([part])).sum() for part in (first, second)]))
    kept, again = found
    for name, gradient in kept.items():
        torch.testing.assert_close(again[name], gradient)
