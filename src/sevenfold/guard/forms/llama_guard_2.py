"""Llama Guard 2: eleven categories, the whole conversation."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.guard.forms._llama import Llama


class LlamaGuard2(Llama):
    """Meta's Llama Guard 2 of 8 billion parameters."""

    taxonomy: ClassVar[str] = "llama_guard_2"
    last: ClassVar[str] = "ONLY THE LAST {who}"
    rule: ClassVar[str] = "- "
