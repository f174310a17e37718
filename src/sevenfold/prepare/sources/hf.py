"""A Hugging Face dataset on disk: what ``save_to_disk`` wrote, or one of its Arrow files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from sevenfold.errors import DataError, MachineError
from sevenfold.prepare.files import File, missing
from sevenfold.prepare.sources import FileSource, Found, RawRow, Reading, Unreadable

MARKS = ("dataset_dict.json", "state.json")
"""Files by which a folder is known as a saved dataset."""


class HuggingFace(FileSource):
    """A dataset saved by the library ``datasets``; memory-mapped, nothing is fetched from a hub."""

    path: str = Field(description="The folder that save_to_disk wrote, or an Arrow file of it.")
    split: str = Field("train", description="Which of the saved dataset's own splits is read.")

    def folder(self) -> Path:
        """The folder of the split.

        Raises:
            DataError: There is no saved dataset, or it has no such split.
        """
        folder = Path(self.path).expanduser()
        if (folder / "dataset_dict.json").is_file():
            names = json.loads((folder / "dataset_dict.json").read_text(encoding="utf-8"))["splits"]
            if self.split not in names:
                raise DataError(
                    f"the dataset has no split {self.split!r}", where=str(folder), value=self.split, alternatives=names
                )
            return folder / self.split
        if not (folder / "state.json").is_file():
            raise DataError(
                f"the folder {str(folder)!r} holds no dataset that save_to_disk wrote",
                where=str(folder),
                expected=" or ".join(MARKS),
                alternatives=sorted(item.name for item in folder.iterdir())[:20],
                next_step="dataset.save_to_disk(PATH); Parquet files are read with source: {parquet: PATH}",
            )
        return folder

    def files(self) -> list[File]:
        """The split's files, or the one Arrow file."""
        path = Path(self.path).expanduser()
        if path.is_file():
            return [path]
        if not path.is_dir():
            raise missing(path, (".arrow",))
        return [*sorted(file for file in self.folder().iterdir() if file.is_file())]

    def rows(self, reading: Reading) -> Iterator[Found]:
        """The rows; a row's origin is its number, from 1."""
        path = Path(self.path).expanduser()
        place = path if path.is_file() else self.folder()
        try:
            yield from self.read(place, reading)
        except DataError as error:
            yield Unreadable(error, rest=True)

    def read(self, file: File, reading: Reading) -> Iterator[RawRow]:
        """The rows of a saved dataset's folder or of one Arrow file."""
        size = self.size()
        for number, values in enumerate(load(Path(str(file))), start=1):
            yield RawRow(values, f"{file}:{number}")
        reading.advance(size)


def load(place: Path) -> Iterator[dict[str, object]]:
    """The rows of a saved dataset or of an Arrow file.

    Raises:
        MachineError: The library ``datasets`` is not installed.
        DataError: The files are not a dataset's.
    """
    try:
        import datasets
    except ImportError:
        raise MachineError(
            "the source hf needs the library datasets", next_step="pip install 'sevenfold[prepare]'"
        ) from None
    import pyarrow

    try:
        dataset = datasets.Dataset.from_file(str(place)) if place.is_file() else datasets.load_from_disk(str(place))
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"the dataset cannot be read: {error}", where=str(place)) from None
    number = 0
    try:
        for values in dataset:
            yield values
            number += 1
    except (pyarrow.ArrowException, ValueError, IndexError) as error:
        raise DataError(f"the row cannot be read: {error}", where=f"{place}:{number + 1}") from None
