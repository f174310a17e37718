"""Few different texts for many rows: a number a row, and each text once."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


class Coded(Sequence[str]):
    """A list of texts that come again: 4 bytes an entry."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.codes = array("I")
        self.names: dict[str, int] = {}
        self.texts: list[str] = []
        self.extend(texts)

    def code(self, text: str) -> int:
        """The number of a text, which is new if it must."""
        if text not in self.names:
            self.names[text] = len(self.texts)
            self.texts.append(text)
        return self.names[text]

    def extend(self, texts: Iterable[str]) -> None:
        """Add texts at the end."""
        self.codes.extend(map(self.code, texts))

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self.texts[code] for code in self.codes[place]]
        return self.texts[self.codes[place]]

    def __setitem__(self, place: int, text: str) -> None:
        self.codes[place] = self.code(text)

    def __iter__(self) -> Iterator[str]:
        return map(self.texts.__getitem__, self.codes)

    def __contains__(self, text: object) -> bool:
        return self.count(text) > 0

    def count(self, value: object) -> int:
        """How often a text is there."""
        import numpy

        code = self.names.get(value) if isinstance(value, str) else None
        return 0 if code is None else int(numpy.count_nonzero(self.array() == code))

    def recoded(self, codes: NDArray[numpy.uint32]) -> Coded:
        """A list of the same texts with other numbers."""
        found = Coded()
        found.names, found.texts = dict(self.names), list(self.texts)
        found.codes.frombytes(codes.tobytes())
        return found

    def array(self) -> NDArray[numpy.uint32]:
        """The numbers."""
        import numpy

        return numpy.frombuffer(self.codes, dtype=numpy.uint32) if self.codes else numpy.zeros(0, numpy.uint32)
