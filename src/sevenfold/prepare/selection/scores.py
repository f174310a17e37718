"""Scores from a file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.errors import DataError
from sevenfold.prepare.files import fingerprint
from sevenfold.prepare.selection import Way

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.selection._material import Material


class Scores(Way):
    """Lines of JSON with ``origin`` and ``score``, made by whatever you like; every training row must have one."""

    main = "path"
    path: str = Field(description="The file.")

    def fingerprints(self) -> dict[str, str]:
        """The file's.

        Raises:
            DataError: It is not there.
        """
        if not Path(self.path).is_file():
            raise DataError(f"no file of scores: {self.path}", where="prepare.training.select.by.scores")
        return {self.path: fingerprint(Path(self.path))}

    def scores(self, material: Material) -> NDArray[numpy.float64]:
        """The file's scores in the order of the rows."""
        import numpy

        self.fingerprints()
        found: dict[str, float] = {}
        for number, line in enumerate(Path(self.path).read_text(encoding="utf-8").splitlines(), start=1):
            if line.strip():
                origin, score = self.read(line, number)
                found[origin] = score
        for origin in material.origins:
            if origin not in found:
                raise DataError(
                    f"no score for the training row {origin}",
                    where=self.path,
                    value=origin,
                    expected=f"a line for each of {len(material):,} rows; there are {len(found):,}",
                    next_step="make the scores again from the prepared rows",
                )
        return numpy.array([found[origin] for origin in material.origins])

    def read(self, line: str, number: int) -> tuple[str, float]:
        """A line's origin and score."""
        try:
            told = json.loads(line)
            origin, score = told["origin"], float(told["score"])
        except (ValueError, TypeError, KeyError):
            origin, score = None, math.nan
        if not isinstance(origin, str) or not math.isfinite(score):
            raise DataError(
                f"no score: {line[:80]!r}",
                where=f"{self.path}:{number}",
                expected='{"origin": "rows.csv:7", "score": 0.3}',
            )
        return origin, score
