"""Objects in stores: ``s3://bucket/key`` and its relatives, read as streams through fsspec.

Who asks is known from the environment alone (``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL`` and their like): a recipe has
no field for it, and an address that carries a password is refused.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from pydantic_core import PydanticCustomError

from sevenfold.errors import DataError, MachineError, RecipeError, first_line
from sevenfold.prepare.packed import sized

STORES = ("s3", "gs")
"""Schemes that are read; Arrow, which is installed with Sevenfold, brings both clients."""
PATIENCE = 10.0
"""Seconds until a store that does not answer is given up."""
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
"""Variables that name another server that speaks S3, as the tools of AWS know them."""


class Remote:
    """An object, used as a path is.

    Args:
        store: The fsspec file system.
        scheme: ``s3``.
        info: What the store says of it.
    """

    def __init__(self, store: Any, scheme: str, info: dict[str, Any]) -> None:
        self.store, self.scheme, self.info = store, scheme, info
        self.name, self.suffix = PurePosixPath(info["name"]).name, PurePosixPath(info["name"]).suffix

    def __str__(self) -> str:
        return f"{self.scheme}://{self.info['name']}"

    def stat(self) -> os.stat_result:
        """Its size."""
        return sized(int(self.info["size"] or 0))

    def open(self, mode: str = "rb", buffering: int = -1) -> BinaryIO:
        """Its bytes, fetched block by block as they are read."""
        with answering(str(self)):
            return cast(BinaryIO, self.store.open(self.info["name"], "rb"))

    def fingerprint(self) -> str:
        """SHA-256 of the content, which is fetched for it: a store's own marks do not tell a copy from a change."""
        with answering(str(self)), self.open() as file:
            return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def is_remote(path: str) -> bool:
    """Whether a path is an address."""
    return "://" in path


def without_secret(path: str) -> str:
    """The path, unless it carries a password, which would stand in the recipe and the record."""
    if is_remote(path) and "@" in urlsplit(path).netloc:
        error = RecipeError(
            "the address carries a user or a password",
            expected="credentials in the environment, for example AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
        raise PydanticCustomError("secret", "{problem}", {"problem": error.problem, "error": error})
    return path


def find_objects(path: str, suffixes: tuple[str, ...]) -> list[Remote]:
    """The objects behind an address: the object itself, those below it with these extensions, or a glob's matches.

    Raises:
        RecipeError: No such store can be read.
        DataError: There is nothing.
        MachineError: The store does not answer.
    """
    from sevenfold.prepare.files import plain_suffix

    scheme = path.partition("://")[0]
    store = opened_store(scheme, path)
    with answering(path):
        infos = [info for info in listed(store, path) if info["type"] == "file"]
    objects = [Remote(store, scheme, info) for info in sorted(infos, key=lambda info: info["name"])]
    if len(objects) == 1 and str(objects[0]) == path:
        return objects
    chosen = [item for item in objects if plain_suffix(item) in suffixes or item.suffix == ".zip"]
    if not chosen:
        raise DataError(
            f"there is no object {path!r} that ends with {' or '.join(suffixes)}",
            where=path,
            alternatives=[str(item) for item in objects[:20]],
            next_step="check prepare.source; s3://bucket/folder reads all below it",
        )
    return chosen


def listed(store: Any, path: str) -> list[dict[str, Any]]:
    """What the store says of the object, of all below it, or of a glob's matches.

    Raises:
        OSError: There is nothing, or the store refuses.
    """
    glob = any(mark in path for mark in "*?[")
    # Listings pass over refusals in silence, and would find nothing: asking for one thing does not.
    asked = "/".join(path.split("/")[:3]) if glob else path
    info: dict[str, Any] = store.info(asked)
    if info["type"] == "file":
        return [info]
    return list((store.glob if glob else store.find)(path, detail=True).values())


def opened_store(scheme: str, path: str) -> Any:
    """The file system of a scheme.

    Raises:
        RecipeError: It is none of those that are read.
    """
    if scheme not in STORES:
        raise RecipeError(
            f"files are not read from {scheme}:// addresses",
            where=path,
            alternatives=STORES,
            next_step="pages of the web are read with source: {web: [ADDRESS]}",
        )
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow import fs

    if scheme == "gs":
        return ArrowFSWrapper(fs.GcsFileSystem(), skip_instance_cache=True)
    endpoint = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), None)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    client = fs.S3FileSystem(endpoint_override=endpoint, region=region, connect_timeout=PATIENCE)
    return ArrowFSWrapper(client, skip_instance_cache=True)


@contextmanager
def answering(path: str) -> Iterator[None]:
    """Turn a store's refusals into errors that name the object.

    Raises:
        DataError: There is no such bucket or object.
        MachineError: Access is denied, or the store does not answer.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"the store has no such bucket or object: {first_line(error)}", where=path) from None
    except OSError as error:
        raise MachineError(
            f"the store refuses or does not answer: {first_line(error)}",
            where=path,
            next_step="check the credentials and the endpoint in the environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL)",
        ) from None
