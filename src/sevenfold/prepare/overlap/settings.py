"""How near-duplicates and leaks are chosen in the recipe."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from sevenfold.schema import Chosen, Strict
from sevenfold.vectors import VECTORS, Vectors


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


class SemanticDuplicates(Asked):
    """Rows that say the same in other words, or in another language."""

    threshold: float = Field(
        0.6, gt=0, le=1, description="The share of the way from the mean cosine of random pairs to 1."
    )
    vectors: Annotated[Vectors, Chosen(VECTORS)] = Field(
        default_factory=lambda: VECTORS.find("e5")(), description="What turns texts into vectors."
    )
    drop: bool = Field(
        True,
        description="Whether one row of a cluster stays; if not, all stay. No split parts a cluster in either case.",
    )


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
