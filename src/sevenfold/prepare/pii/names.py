"""Names of people, by a model that tags tokens; no rule knows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.errors import MachineError, ModelError
from sevenfold.prepare.pii import Detector, Span
from sevenfold.record import file_digest

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

OVERLAP = 32
"""Tokens that two windows of a long text share, so that no name is cut in both."""
FILES = ("config.json", "model.safetensors", "tokenizer.json")


class Names(Detector):
    """Names of people, by a model of yours for token classification, in a folder or on the hub; it is not a default.

    The task `tag` makes such a model. What it misses stays, and what it takes for a name is masked: measure it first.
    """

    main = "model"
    model: str = Field(description="A folder or a hub name with weights in safetensors, a fast tokenizer, and labels.")
    labels: tuple[str, ...] = Field(
        ("PER", "PERSON"), description="The kinds of entities that are masked, as the model's labels end: B-PER is PER."
    )
    threshold: float = Field(0.5, ge=0, le=1, description="The probability from which a token is part of a name.")

    def fingerprints(self) -> dict[str, str]:
        """Of the model's files, where it is a folder."""
        files = [Path(self.model) / name for name in FILES]
        return {str(file): file_digest(file) for file in files if file.is_file()}

    @cached_property
    def tagger(self) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
        """The tokenizer and the network.

        Raises:
            MachineError: The libraries are not installed.
            ModelError: There is no such model, or it tags no tokens of the wanted kinds.
        """
        try:
            from transformers import AutoModelForTokenClassification, AutoTokenizer
        except ImportError:
            raise MachineError("names need the library transformers", next_step="pip install sevenfold") from None
        try:
            tokenizer = AutoTokenizer.from_pretrained(self.model)
            network = AutoModelForTokenClassification.from_pretrained(self.model, use_safetensors=True)
        except (OSError, ValueError) as error:
            raise ModelError(f"the model that finds names cannot be opened: {error}", value=self.model) from None
        kinds = {kind_of(label) for label in labels_of(network).values()}
        if not kinds & set(self.labels):
            raise ModelError(
                "the model that finds names has no label of the wanted kinds",
                value=", ".join(self.labels),
                alternatives=sorted(kinds),
                next_step="name its kinds in labels",
            )
        return tokenizer, network.eval()

    def find(self, text: str) -> Iterable[Span]:
        """Tokens of a wanted kind that touch, or have only white space between them, are one name."""
        start = end = -1
        for span in sorted(self.tokens(text)):
            if start >= 0 and not text[end : span.start].strip():
                end = max(end, span.end)
                continue
            if start >= 0:
                yield Span(start, end)
            start, end = span
        if start >= 0:
            yield Span(start, end)

    def tokens(self, text: str) -> Iterator[Span]:
        """The tokens that are part of a name, in windows that the model can read."""
        import torch

        if not text.strip():
            return
        tokenizer, network = self.tagger
        limit = min(tokenizer.model_max_length, int(getattr(network.config, "max_position_embeddings", 512)))
        read: Any = tokenizer(
            text,
            truncation=True,
            max_length=limit,
            stride=min(OVERLAP, limit // 4),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        wanted = [number for number, label in labels_of(network).items() if kind_of(label) in self.labels]
        for ids, places in zip(read["input_ids"], read["offset_mapping"], strict=True):
            with torch.inference_mode():
                chances = network(torch.tensor([ids])).logits[0].float().softmax(-1)[:, wanted].sum(-1)
            for (start, end), chance in zip(places, chances.tolist(), strict=True):
                if end > start and chance >= self.threshold:
                    start += len(text[start:end]) - len(text[start:end].lstrip())
                    yield Span(start, end)


def labels_of(network: PreTrainedModel) -> dict[int, str]:
    """The labels of a model by their numbers."""
    return {int(number): label for number, label in (network.config.id2label or {}).items()}


def kind_of(label: str) -> str:
    """A label without where in the entity the token stands: ``B-PER`` and ``I-PER`` are ``PER``."""
    head, dash, rest = label.partition("-")
    return rest if dash and head in ("B", "I", "E", "S", "L", "U") else label
