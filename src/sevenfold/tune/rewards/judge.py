"""What another model says of an answer."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from pydantic import Field, model_validator

from sevenfold.generate.judge import Judge as Asked
from sevenfold.tune.rewards import Answered, Reward


class Judge(Reward):
    """A judge's score, 0 for the worst and 1 for the best, from a service that speaks OpenAI's form.

    The prompt, the answer and the row's own reply are sent to that address.
    :class:`sevenfold.generate.judge.Judge` says how the score comes about.
    """

    apart: ClassVar[bool] = False
    main = "model"
    model: str = Field(description="The judge's name at its service.")
    address: str = Field("http://127.0.0.1:8000/v1", description="The base address of the service.")
    key_variable: str = Field("OPENAI_API_KEY", description="The environment variable that holds the service's key.")
    criteria: str = Field(
        "A good answer does what was asked, is right, and says no more than that.",
        description="What a good answer is, in words.",
    )
    compare: bool = Field(True, description="Show the judge the row's own reply as a right answer.")
    lowest: int = Field(1, ge=0, le=9, description="The worst score, one digit.")
    highest: int = Field(9, ge=0, le=9, description="The best score, one digit.")
    seconds: float = Field(60.0, gt=0, description="The longest that one try may take, seconds.")
    tries: int = Field(3, ge=1, description="Tries in all, when the service is busy or broken.")
    at_once: int = Field(8, ge=1, description="Answers that are judged at the same time.")

    @model_validator(mode="after")
    def has_a_scale(self) -> Judge:
        """Refuse a scale of one score."""
        if self.lowest >= self.highest:
            raise ValueError(f"lowest ({self.lowest}) has to be below highest ({self.highest})")
        return self

    @property
    def threads(self) -> int:
        """``at_once``."""
        return self.at_once

    def value(self, answered: Answered) -> float:
        """The reward."""
        score = self.judge.score(answered.prompt, answered.answer, answered.reference if self.compare else "")
        return (score - self.lowest) / (self.highest - self.lowest)

    @cached_property
    def judge(self) -> Asked:
        """Who is asked."""
        names = ("address", "model", "criteria", "lowest", "highest", "seconds", "tries", "key_variable")
        return Asked(**{name: getattr(self, name) for name in names})
