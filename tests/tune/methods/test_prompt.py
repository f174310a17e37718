"""Prompt tuning: trained vectors stand before the embeddings, wherever a sequence goes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sevenfold.errors import ModelError, RecipeError
from sevenfold.generate.engine import Sampling
from sevenfold.generate.engines.transformers import TransformersEngine
from sevenfold.tune.methods.prompt import Prompt

IDS = torch.tensor([[1, 5, 9, 2, 30]])


@pytest.fixture
def led(tiny_model):
    """A network with six virtual tokens, the method and their ids."""
    torch.manual_seed(1)
    network, method = tiny_model.network(torch.float32), Prompt(tokens=6)
    method.attach(network)
    return network, method, method.lead(400)


def loss_of(logits: torch.Tensor) -> torch.Tensor:
    """Of the ids behind the first."""
    return -torch.log_softmax(logits[:, -5:-1], -1).gather(-1, IDS[:, 1:, None]).sum()


def test_output_and_gradient_are_those_of_vectors_before_the_embeddings(led, tiny_model) -> None:
    network, method, lead = led
    (rows,) = method.trainable(network).values()
    loss = loss_of(network(torch.cat([torch.tensor([lead]), IDS], -1)).logits)
    loss.backward()
    plain = tiny_model.network(torch.float32).requires_grad_(False)
    vectors = rows.detach().clone().requires_grad_()
    embedded = torch.cat([vectors[None], plain.get_input_embeddings()(IDS)], 1)
    expected = loss_of(plain(inputs_embeds=embedded).logits)
    expected.backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(rows.grad, vectors.grad)


def test_virtual_tokens_may_stand_anywhere_in_a_batch(led) -> None:
    network, _, lead = led
    both = torch.tensor([[0, 0, *lead, 7], [0, *lead[:1], 8, 9, *lead[2:], 3]])
    found = network.get_input_embeddings()(both)
    assert torch.equal(
        found[0, 2:8], found[0, 2:8].new_tensor(network.get_input_embeddings().beside.vectors().tolist())
    )
    assert torch.equal(found[0, 2], found[1, 1])
    assert torch.equal(found[0, 0], found[1, 0])


@pytest.mark.parametrize("tokens", [1, 5, 20])
def test_the_trained_parameters_are_tokens_times_width(tokens, tiny_model) -> None:
    network, method = tiny_model.skeleton(), Prompt(tokens=tokens)
    method.attach(network)
    assert sum(weight.numel() for weight in method.trainable(network).values()) == tokens * 64


def test_t5_xxl_needs_the_papers_20480_parameters_a_task() -> None:
    """Lester et al. 2021, figure 2: 20,480 parameters for T5-XXL (11 billion) and five tokens."""
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64, vocab_size=32128)
    with torch.device("meta"):
        network = T5ForConditionalGeneration(config)
    method = Prompt(tokens=5)
    method.attach(network)
    assert sum(weight.numel() for weight in method.trainable(network).values()) == 20_480
    assert sum(weight.numel() for weight in network.parameters()) > 1e5 * 20_480


def test_the_start_is_words_or_a_text_or_noise(tiny_model) -> None:
    def rows(**fields):
        torch.manual_seed(2)
        network, method = tiny_model.network(torch.float32), Prompt(**fields)
        method.attach(network)
        (found,) = method.trainable(network).values()
        return found.detach(), network.get_input_embeddings().weight

    words, weight = rows(tokens=8)
    assert all((weight == row).all(-1).any() for row in words)
    assert len({tuple(row.tolist()) for row in words}) > 1
    text, weight = rows(tokens=8, text="the model")
    ids = tiny_model.tokenizer()("the model", add_special_tokens=False)["input_ids"]
    assert torch.equal(text, weight[torch.tensor((ids * 8)[:8])])
    noise, weight = rows(tokens=200, start="random")
    assert not any((weight == row).all(-1).any() for row in noise)
    assert noise.std().item() == pytest.approx(weight.std().item(), rel=0.1)


def test_generation_with_a_cache_and_a_padded_batch_is_that_of_each_prompt_alone(led, tiny_model) -> None:
    network, _, lead = led
    engine = TransformersEngine(network, tiny_model.encoder(lead), batch_size=3)
    prompts = [engine.encoder.led(ids) for ids in ([5, 9], [30, 41, 7, 8, 9], [2])]
    together = engine.generate(prompts, Sampling(max_new_tokens=6))
    for prompt, answer in zip(prompts, together, strict=True):
        ids = list(prompt)
        for _ in answer.ids:
            with torch.no_grad():
                ids.append(int(network(torch.tensor([ids])).logits[0, -1].argmax()))
        assert ids[len(prompt) :] == answer.ids
        assert max(answer.ids) < 400


def test_a_text_without_words_or_without_a_tokenizer_is_refused(tiny_model) -> None:
    with pytest.raises(RecipeError, match="the text '' has no words"):
        Prompt(text="").attach(tiny_model.network(torch.float32))
    network = tiny_model.network(torch.float32)
    network.name_or_path = network.config.name_or_path = "/nowhere"
    with pytest.raises(RecipeError, match=r"no tokenizer lies beside the weights[\s\S]*leave text out"):
        Prompt(text="the").attach(network)


def test_a_network_that_looks_ids_up_elsewhere_too_is_refused(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    network.model.more = nn.Embedding(400, 8)
    with pytest.raises(ModelError, match=r"cannot read virtual tokens: .*\(model\.more\)"):
        Prompt().attach(network)


def test_another_number_of_tokens_does_not_load(led, tiny_model, tmp_path) -> None:
    network, method, _ = led
    method.save(network, tmp_path, "tiny")
    with pytest.raises(ModelError, match=r"does not fit LlamaForCausalLM with 7 virtual tokens"):
        Prompt(tokens=7).load(tiny_model.network(torch.float32), tmp_path)


def test_a_quarter_of_a_run_is_learnt_by_the_prompt_alone(led) -> None:
    network, method, lead = led
    (rows,) = method.trainable(network).values()
    before = {name: weight.clone() for name, weight in network.named_parameters()}
    optimizer = torch.optim.Adam([rows], lr=0.05)
    losses = []
    for _ in range(30):
        loss = loss_of(network(torch.cat([torch.tensor([lead]), IDS], -1)).logits)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.75 * losses[0]
    assert [name for name, weight in network.named_parameters() if not torch.equal(weight, before[name])] == [
        "model.embed_tokens.beside.vectors.rows"
    ]
