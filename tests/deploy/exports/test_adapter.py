from __future__ import annotations

from dataclasses import replace

import torch
from transformers import AutoModelForCausalLM

from sevenfold.deploy.exports import EXPORTS
from sevenfold.deploy.material import Material
from tests.deploy.conftest import make_tuned


def test_peft_loads_it_and_gives_the_tuned_logits(material, tmp_path):
    from peft import PeftModel

    EXPORTS.find("adapter")().write(material, tmp_path)
    base = AutoModelForCausalLM.from_pretrained(material.model.weights)
    ids = torch.arange(5, 60)[None]
    expected = material.tuned.network(material.model, torch.float32)(ids).logits
    found = PeftModel.from_pretrained(base, tmp_path).eval()(ids).logits
    assert (found - expected).abs().max() < 1e-4


def test_the_card_says_what_it_stands_on(material, tmp_path):
    EXPORTS.find("adapter")().write(material, tmp_path)
    card = (tmp_path / "README.md").read_text()
    for words in ("base_model: catalogue: tiny", "license: apache-2.0", "lora (rank 4)", "kept: step 8"):
        assert words in card
    assert (tmp_path / "tokenizer.json").exists()


def test_a_whole_model_has_none(material, whole):
    assert EXPORTS.find("adapter")().skipped(material) is None
    assert "full changes the whole model" in EXPORTS.find("adapter")().skipped(replace(material, tuned=whole))


def test_the_card_of_what_peft_does_not_know_says_how_the_method_loads_it(model, tmp_path):
    tuned = make_tuned(model, tmp_path / "4-tune", "adapter", width=3)
    material = Material(model, tuned, {}, 1)
    (tmp_path / "out").mkdir()
    EXPORTS.find("adapter")().write(material, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text()
    assert "library_name: sevenfold" in card
    code = card.split("```python\n")[1].split("```")[0]
    code = code.replace("'catalogue: tiny'", repr(str(model.weights))).replace("this/folder", str(tmp_path / "out"))
    scope = {}
    exec(code, scope)
    ids = torch.arange(5, 60)[None]
    expected = tuned.network(model, torch.float32)(ids).logits
    assert torch.equal(scope["model"].eval()(ids).logits, expected)
