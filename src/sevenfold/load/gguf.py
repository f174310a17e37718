"""A GGUF file to a plain model: dequantised once, for good.

Weights are kept as float32. A 4-bit block of GGUF stores a float16 scale and minimum; their product and sum with a
4-bit number needs more digits than float16 or bfloat16 have, and float32 is what every dequantiser computes in, so
float32 keeps each weight exactly as it would be used.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

from sevenfold.errors import ModelError
from sevenfold.quiet import quiet

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def convert(file: Path, folder: Path) -> None:
    """Write the model of a GGUF file into ``folder``: config, float32 safetensors, tokenizer, generation config.

    Args:
        file: The GGUF file.
        folder: An existing folder.

    Raises:
        ModelError: transformers cannot read the file.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    # transformers draws a bar for the conversion that its own switch does not silence.
    with quiet(), contextlib.redirect_stderr(io.StringIO()):
        try:
            tokenizer = AutoTokenizer.from_pretrained(**place)
            network = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32)
        except (ValueError, KeyError, OSError, NotImplementedError) as error:
            raise ModelError(
                f"cannot read the GGUF file: {error}",
                where=str(file),
                expected="a causal language model of an architecture that transformers reads from GGUF",
            ) from error
        plain(network).save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def plain(network: PreTrainedModel) -> PreTrainedModel:
    """The same weights in a network that was never quantised.

    transformers marks whatever came from GGUF as quantised, though its weights are not, and refuses to save it.
    """
    import torch
    from transformers import GenerationConfig

    config = network.config
    del config.quantization_config
    if config.pad_token_id == config.eos_token_id:
        config.pad_token_id = None
    with torch.device("meta"):
        fresh = type(network)(config)
    fresh.load_state_dict(network.state_dict(), assign=True)
    fresh.tie_weights()
    fresh.generation_config = GenerationConfig(bos_token_id=config.bos_token_id, eos_token_id=config.eos_token_id)
    return fresh
