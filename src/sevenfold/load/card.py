"""What is known of a model before it is built."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from sevenfold.errors import ModelError
from sevenfold.kind import auto_class, headless, kind_of
from sevenfold.load import weights
from sevenfold.load.model import Card
from sevenfold.load.places import Place
from sevenfold.quiet import quiet

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

NO_LIMIT = 1 << 20
"""Stands for no limit."""
BEHIND_PADDING = ("roberta", "xlm-roberta", "camembert", "mpnet", "xlm-roberta-xl", "roberta-prelayernorm", "ibert")
"""Types of models whose first position is the one behind the padding token's number."""


def describe(name: str, place: Place) -> Card:
    """The card of a model, from its config and files; no weight is read.

    Raises:
        ModelError: It is no language model that transformers knows.
    """
    config = read_config(place.folder)
    text = config.get_text_config()
    return Card(
        name=name,
        licence=place.licence or licence(place.folder),
        architecture=(config.architectures or [""])[0],
        parameters=count_parameters(config, place.folder),
        context=context(text),
        vocabulary=text.vocab_size,
        layers=text.num_hidden_layers,
        hidden=text.hidden_size,
        intermediate=getattr(text, "intermediate_size", None) or 4 * text.hidden_size,
        heads=text.num_attention_heads,
        key_value_heads=getattr(text, "num_key_value_heads", None) or text.num_attention_heads,
        size_bytes=weights.size(place.folder),
        stored_dtype=weights.stored_dtype(place.folder),
        source=place.source,
        kind=kind_of(config),
        headless=headless(config),
    )


def context(config: PreTrainedConfig) -> int:
    """Tokens that a network can attend to; positions that are relative or none set no limit.

    Where the table of positions begins behind the padding token's own number (RoBERTa), those before it are no places.
    """
    rows = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None)
    if not rows:
        return NO_LIMIT
    behind_padding = config.model_type in BEHIND_PADDING
    return int(rows - (config.pad_token_id or 0) - 1 if behind_padding else rows)


def read_config(folder: Path) -> PreTrainedConfig:
    """The config of a folder; code that a model brings is never run.

    Raises:
        ModelError: transformers does not know the architecture, or the config is broken.
    """
    from transformers import AutoConfig

    try:
        with quiet():
            return AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise ModelError(
            f"cannot use the config: {str(error).strip().splitlines()[0]}",
            where=str(folder / "config.json"),
            expected="an architecture of the installed transformers; code that a model brings is never run",
            next_step="a newer transformers may know it",
        ) from error


def count_parameters(config: PreTrainedConfig, folder: Path) -> int:
    """The parameters of the network, shared ones once; it is laid out without memory for its weights.

    Raises:
        ModelError: The architecture is no language model.
    """
    import torch

    try:
        with quiet(), torch.device("meta"):
            network = auto_class(config).from_config(config, trust_remote_code=False)
    except ValueError as error:
        raise ModelError(
            f"{config.model_type!r} is no language model: it can neither write text nor fill it in",
            where=str(folder / "config.json"),
            expected="an architecture of transformers' AutoModelForCausalLM, AutoModelForMaskedLM or "
            "AutoModelForSeq2SeqLM",
        ) from error
    return sum(parameter.numel() for parameter in network.parameters())


def licence(folder: Path) -> str:
    """The licence in the front matter of a model card, or ``unknown``."""
    readme = folder / "README.md"
    text = readme.read_text(encoding="utf-8", errors="replace") if readme.is_file() else ""
    parts = text.split("---\n", 2)
    if len(parts) < 3 or parts[0].strip():
        return "unknown"
    try:
        facts: Any = yaml.safe_load(parts[1])
    except yaml.YAMLError:
        return "unknown"
    return str(facts.get("license", "unknown")) if isinstance(facts, dict) else "unknown"
