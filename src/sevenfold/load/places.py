"""A model's name to a folder with its weights: the catalogue, a local folder, a GGUF file, the hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sevenfold import cache
from sevenfold.errors import ModelError
from sevenfold.load import catalogue, gguf, hub, weights
from sevenfold.record import digest, file_digest


@dataclass(frozen=True)
class Place:
    """Where a model lies.

    Args:
        folder: Config, safetensors and tokenizer in Hugging Face's layout.
        source: Where it came from, for people.
        licence: The licence, where the place knows it.
        revision: The hub's commit.
    """

    folder: Path
    source: str
    licence: str | None = None
    revision: str | None = None


def find(name: str, revision: str | None = None) -> Place:
    """The place of a model; what has to be fetched or converted is, once.

    Args:
        name: ``load.model``: a catalogue name, a folder, a GGUF file, or a hub name.
        revision: ``load.revision``, for hub names.

    Raises:
        ModelError: There is no such model, or its files cannot be used.
        MachineError: It cannot be fetched or kept.
    """
    path = Path(name).expanduser()
    known = catalogue.find(name)
    local = known is not None or path.exists()
    if local and revision is not None:
        raise ModelError(
            f"load.revision {revision!r} has no meaning for {name!r}",
            expected="a revision only for a hub name",
            next_step="remove load.revision",
        )
    if known is not None:
        folder = cache.model(f"{name}-{known.sha256[:12]}", known.fetch)
        return Place(folder.resolve(), known.origin, known.licence)
    if path.is_dir():
        return Place(weights.checked(path.resolve()), str(path))
    if path.is_file():
        return from_file(path)
    folder, commit = hub.fetch(name, revision)
    return Place(weights.checked(folder.resolve()), f"hub: {name}", revision=commit)


def from_file(path: Path) -> Place:
    """The place of a GGUF file, converted once."""
    if path.suffix != ".gguf":
        raise ModelError(
            f"{str(path)!r} is a file", where=str(path.parent), expected="a folder, or a file that ends in .gguf"
        )
    name = f"{path.stem}-{cache.remembered_digest(path)[:12]}"
    return Place(cache.model(name, lambda folder: gguf.convert(path, folder)).resolve(), str(path))


def fingerprint(name: str) -> str:
    """A hash of the weights, config and tokenizer behind a local name; a hub name stands for itself."""
    path = Path(name).expanduser()
    known = catalogue.find(name)
    if known is not None:
        return known.sha256
    if path.is_file():
        return cache.remembered_digest(path)
    if path.is_dir():
        small = {item.name: file_digest(item) for item in sorted(path.iterdir()) if item.suffix in hub.TEXT_SUFFIXES}
        large = {item.name: cache.remembered_digest(item) for item in sorted(path.glob("*.safetensors"))}
        return digest({**small, **large})
    return name
