from __future__ import annotations

import os

import pytest
import torch
from transformers import AutoModelForCausalLM, BertConfig

from sevenfold.chat.conversation import Message
from sevenfold.errors import ModelError
from sevenfold.load.model import Model


def test_a_folder_becomes_a_model_that_opens_again(loaded, weights, entry):
    model = loaded(model=str(weights))
    plain = AutoModelForCausalLM.from_pretrained(weights)
    assert model.card.parameters == sum(p.numel() for p in plain.parameters())
    assert (model.card.layers, model.card.hidden, model.card.intermediate) == (2, 64, 128)
    assert (model.card.heads, model.card.key_value_heads, model.card.context) == (4, 2, 512)
    assert model.card.size_bytes == (weights / "model.safetensors").stat().st_size
    assert model.card.stored_dtype == "float32"
    assert model.stop_ids == [2]
    assert entry.record.metrics["pad_id"] == 0
    again = Model.open(entry.folder)
    assert again == model
    ids = torch.tensor([[1, 5, 9]])
    assert torch.equal(again.network(torch.float32)(ids).logits, plain(ids).logits)
    prompt = again.encoder().prompt([Message("user", "hi")])
    assert prompt == again.encoder().encode("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n")


def test_a_relative_folder_is_kept_as_an_absolute_one(loaded, weights, monkeypatch):
    monkeypatch.chdir(weights.parent)
    assert loaded(model="mine").weights == weights


def test_a_padding_token_that_ends_turns_is_mended_everywhere(loaded, weights, edit, entry):
    edit(weights / "config.json", pad_token_id=2)
    edit(weights / "generation_config.json", pad_token_id=2)
    edit(weights / "tokenizer_config.json", pad_token="<|im_end|>")
    model = loaded(model=str(weights))
    assert model.tokenizer().pad_token == "<|endoftext|>"
    assert model.tokenizer().eos_token == "<|im_end|>"
    assert any(
        "'<|im_end|>' (id 2), which ends a turn; padding is now '<|endoftext|>'" in n for n in entry.record.notes
    )
    network = model.network(torch.float32)
    assert network.generation_config.pad_token_id == 0
    network(torch.tensor([[2, 7]])).logits[0, -1, 9].backward()
    assert network.get_input_embeddings().weight.grad[2].abs().sum() > 0, "the end of a turn is learnt as an input"


def test_a_hub_name_or_folder_that_is_not_there(loaded, weights, monkeypatch):
    monkeypatch.chdir(weights.parent)
    with pytest.raises(ModelError) as caught:
        loaded(model="./min")
    assert caught.value.suggestion == "mine"
    assert "available: smollm2-135m, mine" in str(caught.value)


def test_a_slip_in_a_catalogue_name_asks_no_hub(loaded):
    with pytest.raises(ModelError) as caught:
        loaded(model="smolm2-135m")
    assert caught.value.suggestion == "smollm2-135m"
    assert "no hub name" in str(caught.value)


def test_a_file_that_is_no_model(loaded, tmp_path):
    (tmp_path / "rows.csv").write_text("a,b\n")
    with pytest.raises(ModelError, match="is a file"):
        loaded(model=str(tmp_path / "rows.csv"))


def test_a_revision_of_a_folder(loaded, weights):
    with pytest.raises(ModelError, match=r"load\.revision 'main' has no meaning"):
        loaded(model=str(weights), revision="main")


def test_not_a_language_model(loaded, weights):
    BertConfig(num_hidden_layers=1).save_pretrained(weights)
    text = (weights / "config.json").read_text().replace('"bert"', '"vit"')
    (weights / "config.json").write_text(text)
    with pytest.raises(ModelError, match="'vit' is no language model"):
        loaded(model=str(weights))


def test_code_of_a_model_is_not_run(loaded, weights, edit):
    edit(weights / "config.json", model_type="mine", auto_map={"AutoConfig": "evil.Config"})
    (weights / "evil.py").write_text(f"open({str(weights / 'ran')!r}, 'w')")
    with pytest.raises(ModelError, match="cannot use the config"):
        loaded(model=str(weights))
    assert not (weights / "ran").exists()


def test_licence_of_a_model_card(loaded, weights):
    assert loaded(model=str(weights)).card.licence == "unknown"
    (weights / "README.md").write_text("---\nlicense: mit\n---\n# A model\n")
    assert loaded(model=str(weights)).card.licence == "mit"


def test_fingerprint_follows_the_content_and_not_the_clock(weights):
    from sevenfold.load.section import LoadSection

    section = LoadSection(model=str(weights))
    before = section.outside()
    os.utime(weights / "model.safetensors", (1, 1))
    assert section.outside() == before
    path = weights / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert section.outside()["model"] != before["model"]


def test_fingerprint_of_a_template_follows_its_text(tmp_path):
    from sevenfold.load.section import LoadSection

    path = tmp_path / "mine.jinja"
    path.write_text("a")
    before = LoadSection(template=str(path)).outside()
    path.write_text("b")
    assert LoadSection(template=str(path)).outside() != before
