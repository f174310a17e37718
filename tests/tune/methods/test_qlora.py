"""QLoRA: a base in few bits, the answers of its dense form, PEFT's file, and a merge into what was trained."""

from __future__ import annotations

import pytest
import torch

from sevenfold.errors import RecipeError
from sevenfold.schema import build
from sevenfold.tune.engine import bases
from sevenfold.tune.engine.lora import LoraLinear
from sevenfold.tune.methods.lora import replace
from sevenfold.tune.methods.qlora import Qlora, quantised

IDS = torch.tensor([[1, 5, 9, 2, 30]])
FORMS = [{"bits": 4}, {"bits": 4, "double_quantisation": False}, {"bits": 8}]


@pytest.fixture(params=FORMS, ids=str)
def method(request) -> Qlora:
    return Qlora(rank=4, alpha=6, **request.param)


@pytest.fixture
def network(method, tiny_model):
    """A network with an adapter that does something, beside a quantised base."""
    torch.manual_seed(1)
    network = tiny_model.network(torch.float32)
    method.attach(network)
    for name, weight in method.trainable(network).items():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    return network


@torch.no_grad()
def logits(network):
    return network.eval()(IDS).logits


def dense(method, tiny_model):
    """The base with the weights that its bits stand for, in plain layers."""
    network = tiny_model.network(torch.float32)
    method.quantise(network)
    for name, layer in quantised(network).items():
        replace(network, name, bases.plain(layer, layer.dense(torch.float32)))
    return network


def test_every_linear_layer_but_the_head_is_quantised(network) -> None:
    assert len(quantised(network)) == 14
    assert network.lm_head.weight.dtype == torch.float32
    assert all(weight.dtype == torch.float32 for name, weight in network.named_parameters() if "norm" in name)


def test_layers_without_an_adapter_are_quantised_too(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    Qlora(targets=["q_proj"], bits=8).attach(network)
    assert len(quantised(network)) == 14
    assert sum(isinstance(part, LoraLinear) for part in network.modules()) == 2


def test_it_starts_as_the_dense_form_of_its_base(method, tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    method.attach(network)
    torch.testing.assert_close(logits(network), logits(dense(method, tiny_model)), rtol=1e-5, atol=1e-5)


def test_peft_answers_the_same_on_the_dense_form_of_the_base(method, network, tiny_model, tmp_path) -> None:
    from peft import PeftModel

    method.save(network, tmp_path, "tiny")
    theirs = PeftModel.from_pretrained(dense(method, tiny_model), tmp_path)
    torch.testing.assert_close(logits(theirs), logits(network), rtol=1e-5, atol=1e-5)


def test_gradients_are_pefts_on_the_dense_form_of_the_base(method, network, tiny_model, tmp_path) -> None:
    from peft import PeftModel

    method.save(network, tmp_path, "tiny")
    theirs = PeftModel.from_pretrained(dense(method, tiny_model), tmp_path, is_trainable=True)
    for model in (network, theirs):
        torch.log_softmax(model(IDS).logits, -1)[0, :-1].gather(-1, IDS[0, 1:, None]).sum().backward()
    mine = {name: weight.grad for name, weight in method.trainable(network).items()}
    for name, weight in theirs.named_parameters():
        if weight.requires_grad:
            key = name.removeprefix("base_model.model.").replace(".default", "")
            torch.testing.assert_close(mine[key], weight.grad, rtol=1e-4, atol=1e-5)


def test_peft_takes_the_file_on_a_base_that_transformers_quantised(tiny_model, tmp_path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    # Ours quantises what is left of a weight in bfloat16; with such weights on disk, both quantise the same.
    tiny_model.network(torch.bfloat16).save_pretrained(tmp_path / "base")
    torch.manual_seed(1)
    method = Qlora(rank=4, alpha=6)
    network = AutoModelForCausalLM.from_pretrained(tmp_path / "base", dtype=torch.float32)
    method.attach(network)
    for name, weight in method.trainable(network).items():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    method.save(network, tmp_path, "tiny")
    config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True)
    base = AutoModelForCausalLM.from_pretrained(
        tmp_path / "base", quantization_config=config, dtype=torch.float32, device_map="cpu"
    )
    theirs = PeftModel.from_pretrained(base, tmp_path)
    # For inputs without gradients bitsandbytes multiplies in less than float32 on a CPU.
    base.enable_input_require_grads()
    torch.testing.assert_close(theirs.eval()(IDS).logits, network.eval()(IDS).logits, rtol=1e-5, atol=1e-5)


def test_a_merged_network_is_plain_and_answers_the_same(method, network) -> None:
    before = logits(network)
    method.merge(network)
    assert not quantised(network)
    assert all(type(part) is torch.nn.Linear for name, part in network.named_modules() if name.endswith("_proj"))
    torch.testing.assert_close(logits(network), before, rtol=1e-4, atol=1e-4)


def test_the_skeleton_has_the_bytes_of_the_network(method, network, tiny_model) -> None:
    skeleton = tiny_model.skeleton()
    method.attach(skeleton)
    assert bases.frozen(skeleton, torch.float32) == bases.frozen(network, torch.float32)
    plain = sum(weight.numel() for weight in tiny_model.network(torch.float32).parameters())
    assert bases.frozen(skeleton, torch.float32)[0] == plain


def test_the_user_is_told_what_is_held_in_how_many_bits(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    method = Qlora(bits=4, double_quantisation=False)
    method.attach(network)
    (note,) = method.notes(network)
    assert "14 linear layers are held in 4.500 bits" in note
    assert "embeddings, head, norms and biases are not quantised" in note


def test_transposed_layers_merge_into_transposed_layers() -> None:
    from transformers import GPT2Config, GPT2LMHeadModel
    from transformers.pytorch_utils import Conv1D

    torch.manual_seed(0)
    network = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=32, n_head=2, vocab_size=50)).eval()
    method = Qlora(bits=8)
    method.attach(network)
    before = logits(network)
    method.merge(network)
    assert isinstance(network.transformer.h[0].mlp.c_fc, Conv1D)
    torch.testing.assert_close(logits(network), before, rtol=1e-4, atol=1e-4)


def test_other_numbers_of_bits_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"qlora.bits = 3[\s\S]*4 or 8"):
        build(Qlora, {"bits": 3}, "qlora")


@torch.no_grad()
def weight_error(network, base) -> float:
    """How far all weights with their changes are from the original ones."""
    return sum(
        float((part.merged().weight - base.get_submodule(name).weight).square().sum())
        for name, part in network.named_modules()
        if isinstance(part, LoraLinear)
    )


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("steps", [1, 3])
def test_loftq_starts_nearer_to_the_original_base(bits, steps, tiny_model) -> None:
    base = tiny_model.network(torch.float32)
    networks = []
    for fields in ({}, {"init": "loftq", "loftq_steps": steps}):
        networks.append(tiny_model.network(torch.float32))
        Qlora(rank=16, bits=bits, **fields).attach(networks[-1])
    plain, loftq = (weight_error(network, base) for network in networks)
    assert loftq < 0.75 * plain
    gaps = [(logits(network) - logits(base)).norm() for network in networks]
    assert gaps[1] < gaps[0]


@pytest.mark.parametrize("steps", [1, 3])
def test_loftq_loads_again_and_merges(steps, tiny_model, tmp_path) -> None:
    method = Qlora(rank=4, init="loftq", loftq_steps=steps)
    network = tiny_model.network(torch.float32)
    method.attach(network)
    method.save(network, tmp_path, "tiny")
    assert (tmp_path / "loftq.safetensors").exists() == (steps > 1)
    loaded = tiny_model.network(torch.float32)
    method.load(loaded, tmp_path)
    expected = logits(network)
    torch.testing.assert_close(logits(loaded), expected, rtol=1e-5, atol=1e-5)
    again = tmp_path / "again"
    again.mkdir()
    method.save(loaded, again, "tiny")
    assert {p.name: p.read_bytes() for p in again.iterdir()} == {
        p.name: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()
    }
    method.merge(loaded)
    torch.testing.assert_close(logits(loaded), expected, rtol=1e-4, atol=1e-4)


def test_loftq_in_one_step_is_pefts(tiny_model) -> None:
    """Quantise, then the best approximation of what that takes: the base is the one without LoftQ."""
    plain, loftq = tiny_model.network(torch.float32), tiny_model.network(torch.float32)
    Qlora(rank=4).attach(plain)
    Qlora(rank=4, init="loftq", pissa_iterations=None).attach(loftq)
    original = tiny_model.network(torch.float32)
    for name, layer in quantised(loftq).items():
        assert torch.equal(layer.codes, quantised(plain)[name].codes)
        adapted = loftq.get_submodule(name.removesuffix(".base_layer"))
        lost = original.get_submodule(name.removesuffix(".base_layer")).weight - layer.dense(torch.float32)
        torch.testing.assert_close(
            torch.linalg.svdvals(lost - adapted.change())[0], torch.linalg.svdvals(lost)[4], rtol=1e-3, atol=1e-5
        )


def test_the_skeleton_takes_loftq(tiny_model) -> None:
    skeleton = tiny_model.skeleton()
    method = Qlora(init="loftq", loftq_steps=2)
    method.attach(skeleton)
    assert len(method.trainable(skeleton)) == 28


def test_loftq_needs_a_quantised_base() -> None:
    from sevenfold.tune.methods.lora import Lora

    with pytest.raises(RecipeError, match=r"lora\.init = 'loftq'"):
        build(Lora, {"init": "loftq"}, "lora")
