"""The files of a model folder: there, whole, and safe to read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sevenfold.errors import ModelError

PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")


def checked(folder: Path) -> Path:
    """The same folder, if it holds a whole causal language model in safetensors.

    Raises:
        ModelError: Something is missing, cut short, or could run code when it is read.
    """
    if not (folder / "config.json").is_file():
        raise no_config(folder)
    shards = files(folder)
    if not shards:
        raise no_weights(folder)
    for shard in shards:
        check_whole(shard)
    return folder


def files(folder: Path) -> list[Path]:
    """The safetensors files of a model, in order: those of its index, or all."""
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return sorted(folder.glob("*.safetensors"))
    return [folder / name for name in sorted(set(read_json(index)["weight_map"].values()))]


def size(folder: Path) -> int:
    """Bytes of the weights on disk."""
    return sum(path.stat().st_size for path in files(folder))


def header(path: Path) -> tuple[dict[str, Any], int]:
    """A safetensors file's header: each tensor's dtype, shape and place; and the byte where the tensors begin.

    The format: 8 bytes with the header's length (little endian), the header as JSON, the tensors' bytes.

    Raises:
        ModelError: The file is not safetensors.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > path.stat().st_size:
                raise ValueError("its header is longer than the file")
            found: dict[str, Any] = json.loads(file.read(length))
    except (ValueError, OSError) as error:
        raise ModelError(
            f"the weights cannot be read: {error}", where=str(path), next_step="fetch the file again"
        ) from error
    found.pop("__metadata__", None)
    return found, 8 + length


def check_whole(path: Path) -> None:
    """Compare a file's size with what its header promises.

    Raises:
        ModelError: The file is cut short.
    """
    tensors, start = header(path)
    expected = start + max((tensor["data_offsets"][1] for tensor in tensors.values()), default=0)
    actual = path.stat().st_size
    if actual != expected:
        raise ModelError(
            f"the weights have {actual:,} bytes",
            where=str(path),
            expected=f"{expected:,} bytes, as the file's header says",
            next_step="fetch the file again",
        )


def stored_dtype(folder: Path) -> str:
    """The type that most weights are stored in, by torch's name: ``float32``, ``bfloat16`` ..."""
    names = {"F32": "float32", "BF16": "bfloat16", "F16": "float16", "F64": "float64"}
    counts: dict[str, int] = {}
    for path in files(folder):
        tensors, _ = header(path)
        for tensor in tensors.values():
            begin, end = tensor["data_offsets"]
            counts[tensor["dtype"]] = counts.get(tensor["dtype"], 0) + end - begin
    most = max(counts, key=lambda name: counts[name])
    return names.get(most, most.lower())


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file of the folder.

    Raises:
        ModelError: It is not JSON.
    """
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ModelError(f"cannot read {path.name}: {error}", where=str(path)) from error
    return found


def no_config(folder: Path) -> ModelError:
    """The error for a folder without a model's config."""
    adapter = folder / "adapter_config.json"
    if adapter.is_file():
        base = read_json(adapter).get("base_model_name_or_path")
        return ModelError(
            "this folder holds an adapter, not a model",
            where=str(folder),
            expected="the base model",
            next_step=f"load.model: {base}",
        )
    return ModelError(
        f"there is no config.json in {str(folder)!r}",
        where=str(folder),
        expected="a model in Hugging Face's layout: config.json, *.safetensors, a tokenizer",
        alternatives=sorted(path.name for path in folder.iterdir())[:20],
    )


def no_weights(folder: Path) -> ModelError:
    """The error for a folder without safetensors."""
    pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
    if pickles:
        return ModelError(
            f"the weights are a pickle ({pickles[0]}), which can run code when it is read",
            where=str(folder),
            expected="safetensors",
            next_step="if you trust its author, load it once with transformers elsewhere and save_pretrained() it",
        )
    return ModelError(f"there are no weights in {str(folder)!r}", where=str(folder), expected="*.safetensors")
