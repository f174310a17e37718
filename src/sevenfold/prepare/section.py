"""The recipe's section ``prepare``."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sevenfold.schema import Section


class PrepareSection(Section):
    """Rows to a checked dataset."""

    source: Any = Field(description="Where the rows come from.")
