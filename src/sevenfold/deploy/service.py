"""The service: exports on disk, the engine that opens one of them, and what it answered when it was tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from sevenfold.chat.encoder import Encoder
from sevenfold.generate.engine import Backend, Capacity, Engine
from sevenfold.load.model import Model
from sevenfold.record import Result
from sevenfold.tune.tuned import Tuned

TRAFFIC_FILE = "traffic.jsonl"


class Exported(BaseModel):
    """One export."""

    path: str
    """Its folder, relative to the result's own."""
    bytes: int
    """Size of all its files."""
    sha256: str
    """The digest of the digests of its files."""
    files: dict[str, str]
    """Each file's path in the folder, and its SHA-256."""
    seconds: float
    notes: list[str] = []


class Asked(BaseModel):
    """One held-out question of the smoke test."""

    origin: str
    """The row's place: ``file:line``."""
    model: str = ""
    """The name that was asked for."""
    messages: list[dict[str, str]]
    answer: str
    reference: str
    finish_reason: str | None
    prompt_tokens: int
    completion_tokens: int
    seconds: float


class Beside(BaseModel):
    """What the engine opens where what was learnt has no form as plain weights: it stands beside its base.

    Folders are relative to the service's own, so that the run can be moved.
    """

    base: str
    """The folder of the base model."""
    tuned: str
    """The folder of the tuned model."""
    dtype: str
    """The type of the base's weights, by torch's name."""


class Service(Result):
    """What deploying gives: everything that ``sevenfold serve RUN`` needs lies in the result's folder."""

    model: str
    """The name that clients ask for."""
    engine: dict[str, Any]
    """The engine as a recipe writes it, ``{"xllamacpp": {...}}``."""
    serves: str
    """The export that the engine opens."""
    tasks: list[str] = Field(default_factory=list)
    """Tasks whose adapters a request can choose, the default first; empty: there is one for all."""
    beside: Beside | None = None
    """Where the export is opened beside the base; None: it is a whole model."""
    context: int
    """Most tokens of a prompt and its answer together."""
    stop_ids: list[int]
    lead: tuple[int, ...] = ()
    """Ids of virtual tokens that stand before every prompt."""
    exports: dict[str, str]
    """Each export's folder, relative to the result's own."""
    records: dict[str, Exported]
    """Each export's size, digests and notes."""
    skipped: dict[str, str]
    """Forms that were asked for and do not exist for this model, with the reason."""
    start: str
    """The command that starts the service."""
    smoke: list[Asked]

    def export(self, name: str) -> Path:
        """The folder of an export."""
        return self.folder / self.exports[name]

    def encoder(self) -> Encoder:
        """The tokenizer, template and stop tokens that training used."""
        from transformers import AutoTokenizer

        return Encoder(AutoTokenizer.from_pretrained(self.folder / "tokenizer"), self.stop_ids, self.lead)

    def backend(self) -> Backend:
        """The engine's component."""
        from sevenfold.generate.engines import ENGINES
        from sevenfold.schema import build

        name, fields = next(iter(self.engine.items()))
        return build(ENGINES.find(name), fields, name)

    def open_engine(self, threads: int, at_once: int = 4, context: int | None = None) -> Engine:
        """The engine on its export, ready to answer; close it after use.

        Args:
            threads: Threads of matrix products.
            at_once: Requests that are answered at the same time.
            context: Most tokens of a prompt and its answer together; None: as it was deployed.
        """
        capacity = Capacity(threads=threads, at_once=at_once, context=context or self.context)
        if self.beside:
            return self.open_beside(self.beside, capacity)
        return self.backend().open(self.export(self.serves), self.encoder(), capacity)

    def open_beside(self, beside: Beside, capacity: Capacity) -> Engine:
        """The engine of the tuned model: the base with what was learnt beside it."""
        import torch

        torch.set_num_threads(capacity.threads)
        model, tuned = Model.open(self.folder / beside.base), Tuned.open(self.folder / beside.tuned)
        network = tuned.network(model, getattr(torch, beside.dtype))
        engine = tuned.engine(network, model, self.encoder())
        engine.context = min(engine.context, capacity.context)
        return engine
