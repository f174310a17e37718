"""The recipe's section ``deploy``."""

from __future__ import annotations

from sevenfold.schema import Section


class DeploySection(Section):
    """Exports and the service."""
