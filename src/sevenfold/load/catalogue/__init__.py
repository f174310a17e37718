"""Models that are known by name: what each is, under which licence, and how it is fetched."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from sevenfold.registry import Registry
from sevenfold.schema import Component


class CatalogueEntry(Component):
    """One model that ``load.model`` knows by name."""

    title: ClassVar[str]
    licence: ClassVar[str]
    parameters: ClassVar[int]
    download_bytes: ClassVar[int]
    """Bytes that are fetched the first time."""
    kept_bytes: ClassVar[int]
    """Bytes of the folder that is kept."""
    origin: ClassVar[str]
    """Where it comes from, for people."""
    sha256: ClassVar[str]
    """The fetched file's SHA-256: what the model's identity rests on."""

    @abstractmethod
    def fetch(self, folder: Path) -> None:
        """Write the model into an empty folder in Hugging Face's layout: config, safetensors, tokenizer.

        Raises:
            MachineError: It cannot be fetched.
        """


CATALOGUE = Registry[CatalogueEntry](__name__, CatalogueEntry)


def names() -> list[str]:
    """The names of all entries, as a recipe writes them."""
    return [name.replace("_", "-") for name in CATALOGUE.names()]


def find(name: str) -> CatalogueEntry | None:
    """The entry of a name, or None."""
    return CATALOGUE.find(name.replace("-", "_"))() if name in names() else None
