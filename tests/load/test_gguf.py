"""A GGUF file that the test writes itself, with quantised weights, against gguf's own dequantisation."""

from __future__ import annotations

import json

import gguf as library
import numpy
import pytest
import torch

from sevenfold.errors import ModelError


@pytest.fixture
def gguf_file(weights, tmp_path):
    inner = json.loads((weights / "tokenizer.json").read_text())["model"]
    tokens = sorted(inner["vocab"], key=inner["vocab"].__getitem__)
    path = tmp_path / "tiny-Q4_1.gguf"
    writer = library.GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_context_length(128)
    writer.add_embedding_length(64)
    writer.add_feed_forward_length(128)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token.startswith("<|") else 1 for token in tokens])
    writer.add_token_merges([" ".join(pair) for pair in inner["merges"]])
    for add, token in ((writer.add_bos_token_id, 1), (writer.add_eos_token_id, 2), (writer.add_pad_token_id, 2)):
        add(token)
    writer.add_unk_token_id(0)
    writer.add_chat_template((weights / "chat_template.jinja").read_text())
    for name, values in tensors(len(tokens)).items():
        if values.ndim == 1:
            writer.add_tensor(name, values)
        else:
            kind = library.GGMLQuantizationType.Q4_1
            writer.add_tensor(name, library.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def tensors(vocabulary):
    draw = numpy.random.default_rng(0)
    shapes = {
        "token_embd.weight": (vocabulary, 64),
        "output_norm.weight": (64,),
        "blk.0.attn_norm.weight": (64,),
        "blk.0.ffn_norm.weight": (64,),
        "blk.0.attn_q.weight": (64, 64),
        "blk.0.attn_k.weight": (32, 64),
        "blk.0.attn_v.weight": (32, 64),
        "blk.0.attn_output.weight": (64, 64),
        "blk.0.ffn_gate.weight": (128, 64),
        "blk.0.ffn_up.weight": (128, 64),
        "blk.0.ffn_down.weight": (64, 128),
    }
    return {name: draw.standard_normal(shape, dtype=numpy.float32) for name, shape in shapes.items()}


def test_a_gguf_file_loads_for_good_and_exactly(gguf_file, loaded, entry, own_cache, capfd):
    model = loaded(model=str(gguf_file))
    assert "100%" not in capfd.readouterr().err, "the bars of others are silent"
    network = model.network(torch.float32)
    assert not getattr(network, "is_quantized", False)
    kept = network.state_dict()
    read = {tensor.name: tensor for tensor in library.GGUFReader(gguf_file).tensors}
    for theirs, ours in (
        ("token_embd", "model.embed_tokens"),
        ("blk.0.ffn_down", "model.layers.0.mlp.down_proj"),
        ("blk.0.attn_v", "model.layers.0.self_attn.v_proj"),
    ):
        tensor = read[f"{theirs}.weight"]
        expected = library.dequantize(tensor.data, tensor.tensor_type)
        assert numpy.array_equal(kept[f"{ours}.weight"].numpy(), expected)
        assert not torch.equal(torch.from_numpy(expected).bfloat16().float(), torch.from_numpy(expected))
    network.save_pretrained(entry.folder / "again")
    assert model.weights.is_relative_to(own_cache)
    assert (model.stop_ids, model.tokenizer().pad_token_id) == ([2], 0)
    assert loaded(model=str(gguf_file)).weights == model.weights


def test_a_file_that_is_no_gguf(loaded, tmp_path):
    (tmp_path / "bad.gguf").write_bytes(b"GGUX" + b"\0" * 100)
    with pytest.raises(ModelError, match="cannot read the GGUF file"):
        loaded(model=str(tmp_path / "bad.gguf"))
