"""What a judge model says of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.evaluate.metrics import Better, RowMetric
from sevenfold.evaluate.metrics._judged import Asked, JudgeFields

if TYPE_CHECKING:
    from sevenfold.evaluate.held_out import Question


class GEval(JudgeFields, RowMetric):
    """A judge's score of each answer, averaged over rows; 0 to 1, the ends of the scale, higher is better.

    G-Eval (Liu et al. 2023, arXiv 2303.16634): the judge reads the task, the criteria and the answer and writes one
    digit; ``sum over the scale of p(digit) digit``, where its service tells probabilities, tells apart what would get
    the same digit. Prompt, answer and reference are sent to the address that you name. Judges prefer long answers and
    those of their own kind (Zheng et al. 2023, arXiv 2306.05685): measure one on rows that you have judged yourself.
    A score is kept under the judge's address, name and scale, so that no run asks for it twice.
    """

    main = "model"
    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "share of the scale"
    high: ClassVar[float] = 1.0
    criteria: str = Field(
        "A good answer does what was asked, is right, and says no more than that.",
        description="What a good answer is, in words.",
    )
    compare: bool = Field(True, description="Show the judge the row's own reply as a right answer.")

    def values(self, answers: Sequence[str], questions: Sequence[Question]) -> list[float]:
        """Each answer's score."""
        return self.scores(
            [
                Asked(
                    self.criteria,
                    tuple((message.role, message.content) for message in question.prompt),
                    answer,
                    question.reference if self.compare else "",
                    question.origin,
                )
                for answer, question in zip(answers, questions, strict=True)
            ]
        )
