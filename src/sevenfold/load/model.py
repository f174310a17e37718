"""A model: where its weights are, its configuration, tokenizer and card; the network is built when it is needed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from sevenfold.chat.encoder import Encoder
from sevenfold.kind import Kind, auto_class
from sevenfold.quiet import quiet
from sevenfold.record import Result

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase


class Card(BaseModel):
    """What is known of a model before it is built."""

    name: str
    licence: str = "unknown"
    architecture: str = ""
    parameters: int = 0
    context: int = 0
    """Tokens that the model can attend to."""
    vocabulary: int = 0
    layers: int = 0
    hidden: int = 0
    intermediate: int = 0
    """Width of the feed-forward block."""
    heads: int = 0
    key_value_heads: int = 0
    stored_dtype: str = ""
    """The type of the weights on disk, by torch's name."""
    size_bytes: int = 0
    """Size of the weights on disk."""
    source: str = ""
    """Where the weights came from: a catalogue entry, a hub name, a folder."""
    kind: Kind = "causal"
    """Whether it writes on, fills in, or reads one text and writes another."""
    headless: bool = False
    """Whether it is an encoder without the head that fills in masked tokens; a random one is in its place."""


class Teacher(BaseModel):
    """What is known of a second model that the first learns from; it lies in the folder ``teacher`` of the first."""

    tuned: Path | None = None
    """The stage ``tune`` of the run whose tuned model it is."""
    shared: int
    """Ids from 0 up to this one mean the same to both..."""
    apart: list[int] = []
    """... but for these."""
    refusal: str = ""
    """Why probabilities of tokens cannot be compared; empty where they can."""


class Model(Result):
    """A causal language model, an encoder or an encoder-decoder on disk.

    ``weights`` is a folder in Hugging Face's layout (config, safetensors); the tokenizer, with the chosen chat
    template and a padding token that is not a stop token, lies in this result's own folder.
    """

    card: Card
    weights: Path
    revision: str | None = None
    stop_ids: list[int]
    teacher: Teacher | None = None

    def teacher_model(self) -> Model:
        """The second model; of a run its base, on which stands what :attr:`Teacher.tuned` learnt."""
        return Model.open(self.folder / "teacher")

    @property
    def tokenizer_folder(self) -> Path:
        """The tokenizer as it is used everywhere: in training, scoring, serving and exports."""
        return self.folder / "tokenizer"

    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer, loaded."""
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self.tokenizer_folder)

    def encoder(self, lead: Sequence[int] = ()) -> Encoder:
        """The tokenizer with its template and stop tokens, perhaps with virtual tokens before every conversation."""
        return Encoder(self.shared_encoder.tokenizer, self.stop_ids, lead) if lead else self.shared_encoder

    @cached_property
    def shared_encoder(self) -> Encoder:
        """The one encoder of this object; a tokenizer takes a while to read."""
        return Encoder(self.tokenizer(), self.stop_ids)

    def pad_id(self) -> int:
        """The id that fills batches: the padding token, or, where there is none, the first id that ends no turn.

        Attention never sees it.
        """
        pad = self.encoder().tokenizer.pad_token_id
        return pad if isinstance(pad, int) else next(token for token in itertools.count() if token not in self.stop_ids)

    def network(self, dtype: torch.dtype, attention: str | None = None) -> PreTrainedModel:
        """The network with its weights, in evaluation mode, on the CPU.

        Args:
            dtype: The type of the weights.
            attention: The name of an attention implementation known to transformers; None: the best that the
                architecture has.
        """
        with quiet(), self.same_draws():
            network = self.auto_class().from_pretrained(
                self.weights, dtype=dtype, attn_implementation=attention, trust_remote_code=False
            )
        network.config.pad_token_id = self.pad_id()
        if network.can_generate():
            network.generation_config.eos_token_id = list(self.stop_ids)
            network.generation_config.pad_token_id = self.pad_id()
        # torch gives the row of this index no gradient; with pad = eos in a model's config, the end of a turn would
        # never be learnt as an input. Nothing is padded in training, so no row is left out.
        embedding: Any = network.get_input_embeddings()
        embedding.padding_idx = None
        return network.eval()

    def same_draws(self) -> AbstractContextManager[object]:
        """What the weights lack, an encoder's head, is drawn the same each time that the network is built."""
        if not self.card.headless:
            return nullcontext()
        import torch

        draws = ExitStack()
        draws.enter_context(torch.random.fork_rng())
        torch.manual_seed(0)
        return draws

    def skeleton(self) -> PreTrainedModel:
        """The network without memory for its weights (on torch's meta device), for counting and planning."""
        import torch

        with quiet(), torch.device("meta"):
            return self.auto_class().from_config(self.config())

    def config(self) -> PretrainedConfig:
        """The network's configuration as transformers reads it."""
        from transformers import AutoConfig

        with quiet():
            return AutoConfig.from_pretrained(self.weights)

    def auto_class(self) -> Any:
        """The class of transformers that builds the network with its language modelling head."""
        return auto_class(self.config())
