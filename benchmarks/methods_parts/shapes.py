"""Networks of the shapes that papers speak of, without values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def empty(kind: str, config: Any) -> PreTrainedModel:
    """A network of a shape, without values."""
    import torch
    import transformers

    with torch.device("meta"):
        network: PreTrainedModel = getattr(transformers, kind).from_config(config)
    return network


def gpt3() -> PreTrainedModel:
    """GPT-3's shape (Brown et al. 2020, table 2.1); OPT is built alike and has queries and values of their own."""
    from transformers import OPTConfig

    shape = {"hidden_size": 12288, "word_embed_proj_dim": 12288, "ffn_dim": 4 * 12288, "num_hidden_layers": 96}
    config = OPTConfig(vocab_size=50257, num_attention_heads=96, max_position_embeddings=2048, **shape)
    return empty("AutoModelForCausalLM", config)


def gpt2_medium() -> PreTrainedModel:
    """GPT-2 medium's shape, with keys and values of their own."""
    from transformers import OPTConfig

    shape = {"hidden_size": 1024, "word_embed_proj_dim": 1024, "ffn_dim": 4096, "num_hidden_layers": 24}
    config = OPTConfig(vocab_size=50257, num_attention_heads=16, max_position_embeddings=1024, **shape)
    return empty("AutoModelForCausalLM", config)


def llama_7b() -> PreTrainedModel:
    """The shape of Llama-7B and Llama-2-7B."""
    from transformers import LlamaConfig

    shape = {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32}
    return empty("AutoModelForCausalLM", LlamaConfig(vocab_size=32000, **shape))


def bert_large() -> PreTrainedModel:
    """BERT-large's shape, cased."""
    from transformers import BertConfig

    shape = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16}
    return empty("AutoModel", BertConfig(vocab_size=28996, **shape))


def t5_xxl() -> PreTrainedModel:
    """T5 1.1 XXL's shape, of which T0 with 11 billion parameters was tuned."""
    from transformers import T5Config

    shape = {"d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_layers": 24, "num_heads": 64}
    config = T5Config(vocab_size=32128, feed_forward_proj="gated-gelu", tie_word_embeddings=False, **shape)
    return empty("AutoModelForSeq2SeqLM", config)
