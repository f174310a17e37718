"""A model, rows and a machine small enough that all that is asked of an objective is tried in a minute."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sevenfold.chat import templates
from sevenfold.record import Entry

if TYPE_CHECKING:
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset
    from sevenfold.setup.environment import Environment

END, START, STOP = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
VOCABULARY, LONGEST = 400, 512
SPLIT = {"validation": 6, "test": 0}
ROWS = 32


def model(folder: Path) -> Model:
    """A Llama of two layers with random weights and a tokenizer of bytes with ChatML's marks, as ``load`` gives it.

    Args:
        folder: Gets the model's files and the stage's.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from sevenfold.load.section import LoadSection
    from sevenfold.load.stage import load
    from sevenfold.quiet import quiet

    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=LONGEST,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        initializer_range=0.1,
    )
    with quiet(), torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder / "model")
        write_tokenizer(folder / "model")
    return load(LoadSection(model=str(folder / "model")), Entry(folder / "2-load"))


def write_tokenizer(folder: Path) -> None:
    """A tokenizer whose tokens are bytes, and three marks."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([END, START, STOP, *letters])}
    inner = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, bos_token=START, eos_token=STOP, pad_token=END)
    tokenizer.chat_template = templates.read("chatml")
    tokenizer.save_pretrained(folder)


def dataset(folder: Path, source: str | None) -> Dataset:
    """Rows as ``prepare`` gives them: some sums, or the user's own.

    Args:
        folder: The stage's folder.
        source: A path as ``prepare.source`` takes it.
    """
    from sevenfold.prepare.section import PrepareSection
    from sevenfold.prepare.stage import prepare

    if source is None:
        path = folder.parent / "rows.jsonl"
        write_rows(path)
        source = str(path)
    section = PrepareSection.model_validate({"source": source, "limit": 200, "split": SPLIT})
    return prepare(section, Entry(folder))


def write_rows(path: Path) -> None:
    """Questions and answers of many lengths."""
    import json

    rows = [
        {"prompt": f"How much is {number} and {number % 5}?", "completion": " and ".join(["one"] * (1 + number % 7))}
        for number in range(ROWS)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def environment(folder: Path) -> Environment:
    """One thread of the processor in float32, where equality can be seen."""
    from sevenfold.setup.environment import Environment

    return Environment(
        device="cpu", precision="float32", reason="a check", seed=17, threads=1, deterministic=True, machine={}
    ).save(folder)
