"""A model of embeddings as the package sentence-transformers reads it: network, pooling, length, prompts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from sevenfold.deploy.exports import Export
from sevenfold.deploy.material import Material
from sevenfold.quiet import quiet
from sevenfold.record import write_json

MODES = {"mean": "mean_tokens", "first": "cls_token", "last": "lasttoken"}
"""Our names of poolings to that package's."""
ALL_MODES = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")


class SentenceTransformers(Export):
    """The network without its head, and the files that say how its states become a text's vector."""

    dtype: Literal["stored", "float32", "bfloat16", "float16"] = Field(
        "stored", description="The type of the weights; stored: the type of the base model's file."
    )

    def skipped(self, material: Material) -> str | None:
        """It is a form of embeddings whose weights are the base's own."""
        if not material.tuned.chosen_objective().embeds:
            return f"a model tuned by {next(iter(material.tuned.objective))!r} gives no vectors of texts"
        return material.tuned.unmergeable()

    def write(self, material: Material, folder: Path) -> list[str]:
        """Merge in float32, round once, save; then say how vectors are made."""
        import torch

        objective: Any = material.tuned.chosen_objective()
        dtype = material.stored_dtype() if self.dtype == "stored" else getattr(torch, self.dtype)
        network: Any = material.tuned.merged(material.model, torch.float32)
        with quiet():
            network.base_model.to(dtype).save_pretrained(folder)
        tokenizer = material.model.tokenizer()
        tokenizer.save_pretrained(folder)
        modules = ["Transformer", "Pooling", *(["Normalize"] if objective.normalise else [])]
        paths = ["", "1_Pooling", "2_Normalize"]
        write_json(
            folder / "modules.json",
            [
                {"idx": place, "name": str(place), "path": path, "type": f"sentence_transformers.models.{name}"}
                for place, (name, path) in enumerate(zip(modules, paths, strict=False))
            ],
        )
        for path in paths[1 : len(modules)]:
            (folder / path).mkdir()
        pooling = {f"pooling_mode_{mode}": mode == MODES[objective.pooling] for mode in ALL_MODES}
        width = network.config.get_text_config().hidden_size
        write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": width, **pooling})
        limit = {"max_seq_length": material.model.card.context, "do_lower_case": False}
        write_json(folder / "sentence_bert_config.json", limit)
        prompts = {"query": objective.query_prefix, "document": objective.text_prefix}
        write_json(
            folder / "config_sentence_transformers.json",
            {
                "prompts": prompts,
                "default_prompt_name": None,
                "similarity_fn_name": "cosine" if objective.normalise else "euclidean",
            },
        )
        said = " with encode_query and encode_document" if any(prompts.values()) else ""
        return [f"weights in {str(dtype).removeprefix('torch.')}; opens with SentenceTransformer(folder){said}"]
