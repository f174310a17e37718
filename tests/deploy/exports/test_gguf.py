from __future__ import annotations

import gguf
import pytest

from sevenfold.deploy.exports import EXPORTS
from sevenfold.deploy.exports.gguf import FILE, check, convert, facts
from sevenfold.errors import ModelError
from sevenfold.generate.engine import Capacity
from sevenfold.generate.engines.transformers import TransformersEngine
from sevenfold.generate.engines.xllamacpp import XllamacppEngine


@pytest.fixture(scope="module")
def written(model, tuned, tmp_path_factory):
    from sevenfold.deploy.material import Material

    folder = tmp_path_factory.mktemp("gguf")
    EXPORTS.find("gguf")(outtype="f32").write(Material(model, tuned, {}, 1), folder)
    return folder


def test_it_answers_as_the_tuned_model(written, model, tuned):
    import torch

    encoder = model.encoder()
    reference = TransformersEngine(tuned.network(model, torch.float32), encoder)
    prompt = encoder.encode("the model reads the data")
    with XllamacppEngine(written / FILE, encoder, Capacity(context=128)) as engine:
        ours = engine.next_log_probs(prompt, 400)
    theirs = reference.next_log_probs(prompt, 20)
    assert [ours[token] for token in theirs] == pytest.approx(list(theirs.values()), abs=0.01)


def test_template_and_stop_token_are_inside(written, model):
    found = facts(written / FILE)
    assert (found["template"], found["eos"]) == (model.tokenizer().chat_template, 2)
    assert check(written / FILE, model) == []


def test_what_is_inside_is_compared_with_the_model(written, model):
    with pytest.raises(ModelError, match="token 2, which is not a stop token"):
        check(written / FILE, model.model_copy(update={"stop_ids": [7]}))
    other = model.model_copy(update={"stop_ids": [2, 3]})
    other._folder = model.folder
    assert "<|pad|>" in check(written / FILE, other)[0]


@pytest.mark.parametrize(("outtype", "kind"), [("f16", "F16"), ("q8_0", "Q8_0")])
def test_the_type_of_the_weights_is_the_one_asked_for(material, tmp_path, outtype, kind):
    EXPORTS.find("gguf")(outtype=outtype).write(material, tmp_path)
    tensors = {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(tmp_path / FILE).tensors}
    assert tensors["blk.0.ffn_up.weight"] == kind


def test_a_tokenizer_that_the_converter_does_not_know_is_refused_with_a_way_out(tiny_weights, tmp_path):
    with pytest.raises(ModelError) as caught:
        convert(tiny_weights, tmp_path / FILE, "f32", 1)
    assert "does not know this tokenizer" in str(caught.value)
    assert "deploy.engine: transformers" in str(caught.value)


def test_a_folder_that_is_no_model_is_refused_with_the_converters_words(tmp_path):
    with pytest.raises(ModelError, match=r"converter refuses the model: .*config"):
        convert(tmp_path, tmp_path / FILE, "f32", 1)
