"""The forms that a tuned model is written in; a file's name is its name in the recipe and its folder."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from sevenfold.deploy.material import Material
from sevenfold.registry import Registry
from sevenfold.schema import Component


class Export(Component):
    """One form."""

    def skipped(self, material: Material) -> str | None:
        """Why this form does not exist for this model; None when it does."""
        return None

    @abstractmethod
    def write(self, material: Material, folder: Path) -> list[str]:
        """Write the form.

        Args:
            material: The tuned model.
            folder: An empty folder.

        Returns:
            What the user should know about this export, for the record.

        Raises:
            ModelError: The model has no such form; the message says why.
        """


EXPORTS: Registry[Export] = Registry(__name__, Export)
