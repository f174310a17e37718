"""What exports are made of: the tuned model and its tokenizer."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.deploy.whole import write_whole
from sevenfold.load.model import Model
from sevenfold.quiet import quiet
from sevenfold.tune.tuned import Tuned

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Material:
    """The tuned model.

    Args:
        model: The base model with its tokenizer.
        tuned: What was learnt.
        done: The folders of the exports that are written already, by name.
        threads: Threads that a converter may use.
    """

    model: Model
    tuned: Tuned
    done: dict[str, Path]
    threads: int = 1

    def one_of_several(self) -> list[str]:
        """What a form of plain weights should say where several adapters were trained."""
        tasks = self.tuned.tasks()
        return [f"of {len(tasks)} adapters that of the task {tasks[0]!r} alone is in it"] if tasks else []

    def stored_dtype(self) -> torch.dtype:
        """The type that the base model's weights are stored in."""
        import torch
        from transformers import AutoConfig

        dtype = AutoConfig.from_pretrained(self.model.weights, revision=self.model.revision).dtype
        return dtype if isinstance(dtype, torch.dtype) else torch.float32

    def write_merged(self, folder: Path, dtype: torch.dtype) -> list[str]:
        """Write plain weights, tokenizer, template and stop tokens in Hugging Face's layout.

        Adapter and base are added in float32 and rounded once, to ``dtype``.

        Returns:
            What who opens it should know.
        """
        import torch

        network = self.tuned.merged(self.model, torch.float32)
        whole = self.tuned.whole(network, self.model)
        if whole is not None:
            return write_whole(whole, network, dtype, self.model, folder)
        plain: torch.nn.Module = network
        write_model(plain.to(dtype), self.model, folder)
        return []

    @contextmanager
    def merged(self) -> Iterator[Path]:
        """A folder with the merged model: the export if it is written, else a temporary one in the stored type."""
        if "merged" in self.done:
            yield self.done["merged"]
            return
        with tempfile.TemporaryDirectory() as place:
            self.write_merged(Path(place), self.stored_dtype())
            yield Path(place)


def write_model(network: Any, model: Model, folder: Path) -> None:
    """A network with its tokenizer and just the generation settings that stop an answer."""
    from transformers import GenerationConfig

    tokenizer = model.tokenizer()
    if network.can_generate():
        network.generation_config = GenerationConfig(
            eos_token_id=sorted(model.stop_ids),
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
        )
    with quiet():
        network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
