"""Models of the Hugging Face hub: safetensors, config and tokenizer only; no pickle and no code."""

from __future__ import annotations

import re
from pathlib import Path

from sevenfold.errors import ModelError, closest, first_line
from sevenfold.load import catalogue

TEXT_SUFFIXES = (".json", ".jinja", ".model", ".txt", ".md")
PATTERNS = ["*.safetensors", *(f"*{suffix}" for suffix in TEXT_SUFFIXES)]


def fetch(name: str, revision: str | None) -> tuple[Path, str]:
    """The snapshot of a hub model and its commit.

    Args:
        name: The hub's name, ``owner/model``.
        revision: A branch, a tag or a commit; None: the main branch.

    Raises:
        ModelError: No such model can be reached.
    """
    if not is_name(name):
        raise unknown(name, "it is no hub name")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        # Only files at the top: subfolders hold other frameworks' weights.
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=PATTERNS, ignore_patterns="*/*"))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError) as error:
        raise unknown(name, f"the hub says: {first_line(error)}") from error
    return folder, folder.name


def is_name(name: str) -> bool:
    """Whether the hub is asked about a name: it could be one, and is no slip in the name of a catalogue entry."""
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?", name) or name.endswith(".gguf"):
        return False
    return "/" in name or closest(name, catalogue.names()) is None


def unknown(name: str, reason: str) -> ModelError:
    """The error for a model that is nowhere: names the catalogue and the model folders near by."""
    return ModelError(
        f"there is no model {name!r}: not in the catalogue, no such folder, and {reason}",
        value=name,
        alternatives=[*catalogue.names(), *near(Path(name))],
        expected="a catalogue name, a folder with config.json and safetensors, a .gguf file, or a hub name",
        next_step="check the spelling; for a hub name check the network and, where it is gated, `hf auth login`",
    )


def near(path: Path) -> list[str]:
    """Folders with a model beside where ``path`` would lie."""
    return sorted(str(config.parent) for config in path.expanduser().parent.glob("*/config.json"))
