"""The recipe's section ``evaluate``."""

from __future__ import annotations

from sevenfold.schema import Section


class EvaluateSection(Section):
    """Better or not."""
