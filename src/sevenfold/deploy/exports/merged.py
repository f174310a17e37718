"""Plain safetensors: loads wherever Hugging Face models load."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from sevenfold.deploy.exports import Export
from sevenfold.deploy.material import Material


class Merged(Export):
    """The whole model with the learnt weights in place, tokenizer, template and stop tokens.

    Where what was learnt answers with labels, it is transformers' own class for that.
    """

    dtype: Literal["stored", "float32", "bfloat16", "float16"] = Field(
        "stored", description="The type of the weights; stored: the type of the base model's file."
    )

    def skipped(self, material: Material) -> str | None:
        """Some methods learn what is no weight of the base's architecture, some heads have no class."""
        return material.tuned.apart(material.model)

    def write(self, material: Material, folder: Path) -> list[str]:
        """Merge in float32, round once, save."""
        import torch

        dtype = material.stored_dtype() if self.dtype == "stored" else getattr(torch, self.dtype)
        notes = material.write_merged(folder, dtype)
        return [f"weights in {str(dtype).removeprefix('torch.')}", *notes, *material.one_of_several()]
