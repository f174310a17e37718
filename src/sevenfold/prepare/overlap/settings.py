"""How near-duplicates and leaks are chosen in the recipe."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from sevenfold.schema import Strict


class Asked(Strict):
    """Settings that ``true`` asks for with their defaults."""

    @model_validator(mode="before")
    @classmethod
    def plain(cls, value: Any) -> Any:
        """A plain ``true`` is the default settings."""
        return {} if value is True else value


class NearDuplicates(Asked):
    """Rows that say nearly the same."""

    threshold: float = Field(
        0.8, ge=0.5, le=1, description="Jaccard similarity of two rows' shingles from which they are near-duplicates."
    )
    drop: bool = Field(
        True,
        description="Whether one row of a cluster stays; if not, all stay. No split parts a cluster in either case.",
    )
    permutations: int = Field(128, ge=16, le=1024, description="MinHash values a row; more: fewer pairs are missed.")


class Decontaminate(Asked):
    """Training rows that share text with what is held out."""

    words: int = Field(13, ge=5, description="Words in a row that a training row may not share with what is held out.")
    common: int = Field(
        10, ge=1, description="Words that more training rows than this share are a common phrase and no leak."
    )
    against: list[str] = Field(
        default_factory=list,
        description="Evaluation sets besides the held-out splits: files, folders or globs of .jsonl and .txt.",
    )
