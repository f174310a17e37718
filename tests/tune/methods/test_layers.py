"""Only chosen blocks move."""

from __future__ import annotations

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from sevenfold.errors import RecipeError
from sevenfold.record import Entry
from sevenfold.tune.engine import documents
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.probe import trial
from sevenfold.tune.methods.layers import Layers
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune

SIZES = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4}


def network(dtype: torch.dtype = torch.float32, **fields) -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(**{**SIZES, "num_hidden_layers": 5, "tie_word_embeddings": True, **fields})
    config._attn_implementation = documents.register()
    return LlamaForCausalLM(config).to(dtype)


def moving(method: Layers, on: LlamaForCausalLM) -> set[str]:
    method.attach(on)
    return {name.removeprefix("model.layers.").split(".")[0] for name in method.trainable(on)}


def test_the_first_and_the_last_blocks_move() -> None:
    assert moving(Layers(first=2, last=2), network()) == {"0", "1", "3", "4"}


def test_patterns_add_parameters() -> None:
    method, tried = Layers(last=0, names=["*.2.mlp.*", "model.norm.weight"]), network()
    method.attach(tried)
    parts = {f"model.layers.2.mlp.{part}_proj.weight" for part in ("gate", "up", "down")}
    assert set(method.trainable(tried)) == parts | {"model.norm.weight"}


def test_a_head_of_its_own_can_move() -> None:
    method, tried = Layers(last=0, head=True), network(tie_word_embeddings=False)
    method.attach(tried)
    assert list(method.trainable(tried)) == ["lm_head.weight"]


def test_a_tied_head_is_refused_with_the_way_out() -> None:
    with pytest.raises(RecipeError, match=r"shares the weights(.|\n)*names: \[model.embed_tokens.weight\]"):
        Layers(head=True).attach(network())


def test_too_many_blocks_are_refused_with_their_number() -> None:
    with pytest.raises(RecipeError, match=r"first = 3 and last = 3(.|\n)*at most 5"):
        Layers(first=3, last=3).attach(network())


def test_a_pattern_that_matches_nothing_is_refused_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match=r"did you mean: model.layers.\*.mlp.down_proj.weight"):
        Layers(names=["model.layers.*.mlp.down.weight"]).attach(network())


def test_nothing_that_moves_is_refused() -> None:
    with pytest.raises(RecipeError, match="no parameter moves"):
        Layers(last=0).attach(network())


@pytest.mark.parametrize("fields", [{"last": 2}, {"first": 2, "last": 0}, {"first": 1, "last": 1}])
def test_what_moves_is_float32_and_products_are_bfloat16(fields) -> None:
    method, tried = Layers(**fields), network(torch.bfloat16)
    method.attach(tried)
    types = {weight.requires_grad: weight.dtype for weight in tried.parameters()}
    assert types == {True: torch.float32, False: torch.bfloat16}
    found = []
    for part in tried.modules():
        if isinstance(part, torch.nn.Linear) and part is not tried.lm_head:
            part.register_forward_hook(lambda module, inputs, output: found.append(output.dtype))
    forward = Forward(tried, torch.bfloat16)
    assert not forward.notes
    found.clear()
    batch = trial(tried)
    forward(batch).sum().backward()
    assert set(found) == {torch.bfloat16}
    assert all(weight.grad.dtype == torch.float32 for weight in method.trainable(tried).values())


def test_mixed_types_give_the_gradients_of_float32_within_the_precision() -> None:
    method, mixed, plain = Layers(first=1, last=1), network(torch.bfloat16), network(torch.bfloat16).float()
    for tried, precision in ((mixed, torch.bfloat16), (plain, torch.float32)):
        method.attach(tried)
        Forward(tried, precision)(trial(tried)).sum().backward()
    expected = torch.cat([weight.grad.flatten() for weight in method.trainable(plain).values()])
    found = torch.cat([weight.grad.flatten() for weight in method.trainable(mixed).values()])
    assert (found - expected).norm() < 0.03 * expected.norm()


def test_what_is_saved_is_a_model_that_transformers_loads(dataset, tiny_model, environment, tmp_path) -> None:
    section = TuneSection.model_validate({"method": {"layers": {"last": 1}}, "steps": 2, "learning_rate": 1e-2})
    environment = environment.model_copy(update={"precision": "bfloat16"})
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir()
    tuned = tune(section, dataset, tiny_model, environment, entry)
    opened = LlamaForCausalLM.from_pretrained(tuned.weights, dtype=torch.float32).state_dict()
    base = tiny_model.network(torch.float32).state_dict()
    ours = tuned.network(tiny_model, torch.float32).state_dict()
    for name, weight in ours.items():
        if ".layers.1." in name:
            assert torch.equal(weight, opened[name]), name
            assert not torch.equal(weight, base[name]), name
        else:
            assert torch.equal(weight, base[name]), name
