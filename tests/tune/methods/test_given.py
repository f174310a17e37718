"""An adapter from elsewhere goes through a run as if the run had trained it, and no step is taken."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

from sevenfold.errors import ModelError, RecipeError
from sevenfold.prove import proofs
from sevenfold.prove.proof import Case
from sevenfold.record import Entry
from sevenfold.tune.methods.lora import Lora
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune
from sevenfold.tune.work import work_of
from tests.tune.several import made

IDS = torch.tensor([[1, 5, 9, 2, 30]])


@torch.no_grad()
def logits(network):
    return network.eval()(IDS).logits


def section(folder, **fields) -> TuneSection:
    return TuneSection.model_validate({"method": {"given": {"folder": str(folder)}}, **fields})


def theirs(model, folder, config, seed=3):
    """An adapter that PEFT made, with something in it."""
    from peft import get_peft_model

    torch.manual_seed(seed)
    network = get_peft_model(model.network(torch.float32), config)
    for weight in network.parameters():
        if weight.requires_grad:
            torch.nn.init.normal_(weight, std=0.3)
    network.save_pretrained(folder)
    return folder


def kinds():
    from peft import IA3Config, LoraConfig

    return {
        "lora": LoraConfig(r=3, target_modules=["q_proj", "down_proj"]),
        "rslora": LoraConfig(r=3, target_modules="all-linear", use_rslora=True, lora_alpha=5),
        "dora": LoraConfig(r=3, target_modules="all-linear", use_dora=True),
        "ia3": IA3Config(target_modules=["k_proj", "v_proj", "down_proj"], feedforward_modules=["down_proj"]),
    }


@pytest.fixture(params=["lora", "rslora", "dora", "ia3"])
def adapter(request, tiny_model, tmp_path):
    return theirs(tiny_model, tmp_path / "adapter", kinds()[request.param])


@pytest.fixture
def take(dataset, tiny_model, environment, tmp_path):
    """The stage on a folder."""

    def taken(folder, **fields):
        entry = Entry(tmp_path / "4-tune")
        entry.folder.mkdir()
        return tune(section(folder, **fields), dataset, tiny_model, environment, entry), entry

    return taken


def test_it_answers_as_peft_does_beside_its_base_and_merged(adapter, take, tiny_model) -> None:
    from peft import PeftModel

    tuned, _ = take(adapter)
    expected = logits(PeftModel.from_pretrained(tiny_model.network(torch.float32), adapter))
    network = tuned.network(tiny_model, torch.float32)
    torch.testing.assert_close(logits(network), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(logits(tuned.merged(tiny_model, torch.float32)), expected, rtol=1e-4, atol=1e-4)
    tuned.chosen_method().unload(network)
    base = logits(tiny_model.network(torch.float32))
    assert torch.equal(logits(network), base)
    assert not torch.allclose(expected, base, atol=1e-2)


def test_no_step_is_taken_and_nothing_can_move(adapter, take, tiny_model) -> None:
    tuned, entry = take(adapter)
    assert (tuned.steps, tuned.losses, tuned.history(), tuned.trainable_parameters) == (0, [], [], 0)
    assert any("nothing is trained" in note for note in entry.record.notes)
    network = tuned.network(tiny_model, torch.float32)
    assert not any(weight.requires_grad for weight in network.parameters())


def test_the_files_and_their_record_are_copied_whole(take, tiny_model, tmp_path) -> None:
    folder = made.adapter(tiny_model, tmp_path / "own", 4)
    (folder / "sevenfold.json").write_text('{"method": "merge"}')
    tuned, _ = take(folder)
    assert {path.name: path.read_bytes() for path in tuned.weights.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }


def test_it_is_the_method_lora_with_other_steps(take, tiny_model, tmp_path) -> None:
    folder = made.adapter(tiny_model, tmp_path / "own", 4)
    alone = tiny_model.network(torch.float32)
    Lora(rank=4, alpha=6).load(alone, folder)
    tuned, _ = take(folder)
    assert torch.equal(logits(tuned.network(tiny_model, torch.float32)), logits(alone))


def test_proofs_of_training_are_left_out_and_the_others_hold(
    adapter, take, dataset, tiny_model, environment, tmp_path
) -> None:
    tuned, entry = take(adapter)
    case = Case(section(adapter), dataset, tiny_model, environment, tmp_path, tuned=tuned)
    proofs.check(proofs.BEFORE["tune"], "before", case, entry, force=False)
    proofs.check(proofs.AFTER["tune"], "after", case, entry, force=False)
    assert [proof["name"] for proof in entry.record.proofs] == ["tokens", "merge"]
    assert proofs.possible({"tune", "deploy"}, case.section) == ["tokens", "merge", "export"]


def test_another_file_is_another_run(tiny_model, tmp_path) -> None:
    one, other = (made.adapter(tiny_model, tmp_path / str(seed), seed) for seed in (1, 2))
    first = section(one).outside()
    shutil.copyfile(other / "adapter_model.safetensors", one / "adapter_model.safetensors")
    assert section(one).outside() != first


def test_there_is_nothing_to_plan(tiny_model, environment, tmp_path) -> None:
    folder = made.adapter(tiny_model, tmp_path / "own", 4)
    with pytest.raises(RecipeError, match="nothing is trained"):
        work_of(section(folder), None, tiny_model, environment)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"method": "given"}, "given needs a folder"),
        ({"method": {"given": {"folder": "x"}}, "steps": 4}, "given trains nothing, and steps = 4"),
        ({"method": {"given": {"folder": "x"}}, "epochs": 2}, "given trains nothing, and epochs = 2.0"),
    ],
)
def test_fields_that_have_no_meaning_are_refused(fields, said) -> None:
    with pytest.raises((RecipeError, ValueError), match=said):
        TuneSection.model_validate(fields)


def test_folders_that_hold_something_else_are_named(take, tiny_model, tmp_path) -> None:
    from peft import PromptTuningConfig

    with pytest.raises(ModelError, match="holds no adapter in PEFT's format") as caught:
        take(tmp_path / "nowhere")
    assert "nowhere" in str(caught.value)
    network = tiny_model.network(torch.float32)
    prompts = theirs(tiny_model, tmp_path / "p", PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4))
    with pytest.raises(ModelError, match="PROMPT_TUNING cannot be taken as it is"):
        section(prompts).method.attach(network)
    folder = made.adapter(tiny_model, tmp_path / "own", 4)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**config, "init_lora_weights": "pissa"}))
    with pytest.raises(ModelError, match="pissa, which changes the base's own weights"):
        section(folder).method.attach(network)


def test_an_adapter_of_another_base_does_not_fit(tiny_model, tmp_path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = made.adapter(tiny_model, tmp_path / "own", 4)
    other = LlamaForCausalLM(
        LlamaConfig(vocab_size=400, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4)
    )
    with pytest.raises(ModelError, match=r"does not fit LlamaForCausalLM: model\.layers\.0"):
        section(folder).method.attach(other)
