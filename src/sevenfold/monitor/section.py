"""The recipe's section ``monitor``."""

from __future__ import annotations

from sevenfold.schema import Section


class MonitorSection(Section):
    """Watching the service."""
