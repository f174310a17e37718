"""Tiny networks of many architectures, and which parts of the engine apply to each."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from sevenfold.kind import auto_class

SIZES = {"vocab_size": 96, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
SPECIAL = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
GROUPED = {"intermediate_size": 48, "max_position_embeddings": 64, "num_key_value_heads": 2}
HEADS = {**GROUPED, "head_dim": 8}
WINDOW = {"sliding_window": 4}
OLD = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
MPT = {"d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 64}
GPT_NEO = {"num_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]]}
GPT_OSS = {**HEADS, **WINDOW, "num_local_experts": 2, "num_experts_per_tok": 1}
LLAMA4 = {
    **HEADS,
    "num_local_experts": 2,
    "intermediate_size_mlp": 48,
    "attention_chunk_size": 4,
    "num_experts_per_tok": 1,
}
JAMBA = {**GROUPED, "num_experts": 2, "use_mamba_kernels": False, "attn_layer_period": 2, "attn_layer_offset": 1}
QWEN3_NEXT = {
    **HEADS,
    "linear_num_value_heads": 4,
    "linear_num_key_heads": 2,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "num_experts": 2,
    "num_experts_per_tok": 1,
    "moe_intermediate_size": 16,
    "shared_expert_intermediate_size": 16,
    "layer_types": ["linear_attention", "full_attention"],
}
LFM2 = {**GROUPED, "layer_types": ["conv", "full_attention"]}
MAMBA2 = {"state_size": 4, "num_heads": 8, "head_dim": 8, "n_groups": 1, "chunk_size": 8}
T5 = {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0}
BART = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "max_position_embeddings": 64,
    "decoder_start_token_id": 2,
}

BERT = {"intermediate_size": 48, "max_position_embeddings": 64}
ALBERT = {**BERT, "embedding_size": 32, "initializer_range": 0.1}
DISTILBERT = {"dim": 32, "hidden_dim": 48, "n_layers": 2, "n_heads": 4, "max_position_embeddings": 64}
MODERNBERT = {**BERT, "local_attention": 4, "global_attn_every_n_layers": 2, "cls_token_id": 1, "sep_token_id": 2}


@dataclass
class Architecture:
    """A tiny network and what is known of it.

    Args:
        config: The class of its configuration in transformers.
        layout: How documents go through it.
        head: How its states become log-probabilities.
        extra: Fields of the configuration beside the sizes.
        experts: Whether LoRA on all linear layers leaves out experts, which are no linear layers but blocks of weights.
    """

    config: str
    layout: str
    head: str
    extra: dict = field(default_factory=dict)
    experts: bool = False

    @property
    def words(self) -> tuple[str, str, str]:
        """The row of the page in the documentation: layout, head and LoRA."""
        lora = "all but the experts" if self.experts else "all linear layers"
        return self.layout, self.head, lora

    def build(self, seed: int = 0, **more):
        """The network with random weights, in evaluation mode, attention as transformers chooses it."""
        import transformers

        torch.manual_seed(seed)
        config = getattr(transformers, self.config)(**{**SIZES, **SPECIAL, **self.extra, **more})
        network = auto_class(config).from_config(config).eval()
        # Padding is a token like others here: rows of the plain forward have none, and a frozen row would differ.
        network.get_input_embeddings().padding_idx = None
        return network


ARCHITECTURES = {
    "Llama": Architecture("LlamaConfig", "documents", "chunked", GROUPED),
    "Mistral": Architecture("MistralConfig", "documents", "chunked", {**GROUPED, **WINDOW}),
    "Mixtral": Architecture("MixtralConfig", "documents", "chunked", {**GROUPED, "num_local_experts": 2}, experts=True),
    "Qwen2": Architecture("Qwen2Config", "documents", "chunked", GROUPED),
    "Qwen3": Architecture("Qwen3Config", "documents", "chunked", HEADS),
    "Gemma": Architecture("GemmaConfig", "documents", "chunked", HEADS),
    "Gemma 2": Architecture(
        "Gemma2Config", "one mask", "chunked, cap", {**HEADS, **WINDOW, "query_pre_attn_scalar": 8}
    ),
    "Gemma 3": Architecture("Gemma3TextConfig", "documents", "chunked", {**HEADS, **WINDOW}),
    "Phi": Architecture("PhiConfig", "documents", "chunked, bias", GROUPED),
    "Phi-3": Architecture("Phi3Config", "documents", "chunked", GROUPED),
    "OLMo 2": Architecture("Olmo2Config", "documents", "chunked", GROUPED),
    "Cohere": Architecture("CohereConfig", "documents", "chunked, scale", {**GROUPED, "logit_scale": 0.2}),
    "Granite": Architecture("GraniteConfig", "documents", "chunked, scale", {**GROUPED, "logits_scaling": 3.0}),
    "StableLM": Architecture("StableLmConfig", "one mask", "chunked", GROUPED),
    "StarCoder2": Architecture("Starcoder2Config", "documents", "chunked", GROUPED),
    "GPT-2": Architecture("GPT2Config", "documents", "chunked", OLD),
    "GPT-BigCode": Architecture("GPTBigCodeConfig", "documents", "chunked", OLD),
    "GPT-NeoX": Architecture("GPTNeoXConfig", "documents", "chunked", {"intermediate_size": 48}),
    "GPT-Neo": Architecture("GPTNeoConfig", "one mask", "chunked", GPT_NEO),
    "GPT-J": Architecture("GPTJConfig", "one mask", "chunked, bias", {**OLD, "rotary_dim": 4}),
    "OPT": Architecture(
        "OPTConfig", "documents", "chunked", {"ffn_dim": 48, "word_embed_proj_dim": 32, "max_position_embeddings": 64}
    ),
    "gpt-oss": Architecture("GptOssConfig", "padded", "chunked", GPT_OSS, experts=True),
    "Llama 4": Architecture("Llama4TextConfig", "one mask", "chunked", LLAMA4, experts=True),
    "Falcon": Architecture("FalconConfig", "padded", "chunked", {"alibi": False}),
    "Falcon with ALiBi": Architecture("FalconConfig", "padded", "chunked", {"alibi": True}),
    "BLOOM": Architecture("BloomConfig", "padded", "chunked"),
    "MPT": Architecture("MptConfig", "padded", "chunked", MPT),
    "Mamba": Architecture("MambaConfig", "padded", "chunked", {"state_size": 4, "time_step_rank": 4}),
    "Mamba 2": Architecture("Mamba2Config", "padded", "chunked", MAMBA2),
    "RWKV": Architecture("RwkvConfig", "padded", "chunked", {"attention_hidden_size": 32}),
    "Jamba": Architecture("JambaConfig", "padded", "chunked", JAMBA, experts=True),
    "LFM2": Architecture("Lfm2Config", "padded", "chunked", LFM2),
    "Qwen3-Next": Architecture("Qwen3NextConfig", "padded", "chunked", QWEN3_NEXT, experts=True),
    "BERT": Architecture("BertConfig", "documents", "chunked, transform, bias", BERT),
    "RoBERTa": Architecture("RobertaConfig", "documents", "chunked, transform, bias", BERT),
    "XLM-R": Architecture("XLMRobertaConfig", "documents", "chunked, transform, bias", BERT),
    "DistilBERT": Architecture("DistilBertConfig", "documents", "chunked, transform, bias", DISTILBERT),
    "ELECTRA": Architecture("ElectraConfig", "documents", "chunked, transform, bias", {**BERT, "embedding_size": 32}),
    "ALBERT": Architecture("AlbertConfig", "documents", "chunked, transform, bias", ALBERT),
    "MPNet": Architecture("MPNetConfig", "padded", "chunked, transform, bias", BERT),
    "DeBERTa-v3": Architecture("DebertaV2Config", "padded", "chunked, transform, bias", BERT),
    "ModernBERT": Architecture("ModernBertConfig", "documents", "chunked, transform, bias", MODERNBERT),
    "T5": Architecture("T5Config", "padded", "chunked, scale", T5),
    "BART": Architecture("BartConfig", "padded", "chunked", BART),
    "mBART": Architecture("MBartConfig", "padded", "chunked", BART),
    "M2M100": Architecture("M2M100Config", "padded", "chunked", BART),
}
"""What is tested, by the names that people use."""
