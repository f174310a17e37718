"""What kind of network a configuration describes, and the class of transformers that builds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from transformers import PretrainedConfig

Kind = Literal["causal", "encoder", "encoder-decoder"]
"""A causal model writes on; an encoder (BERT and its like) reads in both directions and fills in masked tokens; an
encoder-decoder reads one text in both directions and writes another."""
WRITES = ("ForCausalLM", "LMHeadModel")
FILLS_IN = ("ForMaskedLM", "ForPreTraining", "WithLMHeadModel")
"""Ends of the names of architectures that write on, and that have a head which fills in masked tokens."""


def kind_of(config: PretrainedConfig) -> Kind:
    """The kind of network; an architecture that transformers builds in both ways is what its configuration names."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES as FILLING

    if config.is_encoder_decoder:
        return "encoder-decoder"
    named = (config.architectures or [""])[0]
    writes = getattr(config, "is_decoder", False) or (named.endswith(WRITES) and not named.endswith(FILLS_IN))
    return "encoder" if config.model_type in FILLING and not writes else "causal"


def headless(config: PretrainedConfig) -> bool:
    """Whether the weights are an encoder's without the head that fills in masked tokens."""
    return kind_of(config) == "encoder" and not any(name.endswith(FILLS_IN) for name in config.architectures or [])


def peft_task(config: PretrainedConfig) -> str | None:
    """What PEFT calls the task of such a network; of an encoder none, since PEFT wraps those for labels only."""
    return {"causal": "CAUSAL_LM", "encoder": None, "encoder-decoder": "SEQ_2_SEQ_LM"}[kind_of(config)]


def auto_class(config: PretrainedConfig) -> Any:
    """The class of transformers that builds the network with its language modelling head."""
    import transformers

    names = {
        "causal": "AutoModelForCausalLM",
        "encoder": "AutoModelForMaskedLM",
        "encoder-decoder": "AutoModelForSeq2SeqLM",
    }
    return getattr(transformers, names[kind_of(config)])
