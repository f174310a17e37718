"""Whether the answer has a form."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from sevenfold.tune.rewards import Answered, Reward


class Regex(Reward):
    """1 when a regular expression matches the whole answer (``whole: false``: a part of it), else 0."""

    main = "pattern"
    pattern: str = Field(description="A regular expression in Python's form; a point matches line ends too.")
    whole: bool = Field(True, description="Match the whole answer; false: search it.")

    @field_validator("pattern")
    @classmethod
    def compiles(cls, pattern: str) -> str:
        """Refuse what is no regular expression."""
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        return pattern

    def value(self, answered: Answered) -> float:
        """1.0 at a match."""
        pattern = re.compile(self.pattern, re.DOTALL)
        text = answered.answer.strip()
        return float(bool(pattern.fullmatch(text) if self.whole else pattern.search(text)))
