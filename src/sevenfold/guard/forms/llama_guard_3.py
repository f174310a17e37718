"""Llama Guard 3: fourteen categories."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.guard.forms._llama import Llama


class LlamaGuard3(Llama):
    """Meta's Llama Guard 3 of 8 and of 1 billion parameters."""

    taxonomy: ClassVar[str] = "llama_guard_3"
    last: ClassVar[str] = "ONLY THE LAST {who} message"
    rule: ClassVar[str] = " - "
