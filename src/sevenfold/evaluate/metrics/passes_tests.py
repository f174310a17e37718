"""Whether the answer is code that does what it should."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.evaluate.metrics import Better, RowMetric
from sevenfold.evaluate.metrics._columns import cell
from sevenfold.evaluate.metrics._fenced import unfenced
from sevenfold.evaluate.sandbox import MEBIBYTE, Limits, all_pass

if TYPE_CHECKING:
    from sevenfold.evaluate.held_out import Question


class PassesTests(RowMetric):
    """Share of answers that are Python which passes the row's tests; 0 to 1, higher is better.

    pass@1 of one greedy answer (Chen et al. 2021, "Evaluating Large Language Models Trained on Code", arXiv
    2107.03374): the answer's code, taken out of its fence, is run and the asserts of a column behind it, in a process
    with limits of time, memory and files, without network, environment or other programs. Whatever does not come to
    the end of the tests in time has failed. The limits hold mistakes and ordinary mischief, not an attacker:
    :mod:`sevenfold.evaluate.sandbox` says what they are.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "share of rows"
    high: ClassVar[float] = 1.0
    binary: ClassVar[bool] = True
    column: str = Field("tests", description="The column with the tests: Python with asserts.")
    continues: bool = Field(
        False, description="Whether answers go on where the prompt's last message ends, a function."
    )
    seconds: float = Field(10.0, gt=0, le=3600, description="Time for one answer and its tests, seconds.")
    memory: int = Field(1024, ge=64, description="Memory for one answer, mebibytes of address space.")
    file: int = Field(1, ge=0, description="The largest file that may be written, mebibytes.")

    def values(self, answers: Sequence[str], questions: Sequence[Question]) -> list[float]:
        """1.0 for what passes, else 0.0; as many run at once as there are cores."""
        limits = Limits(self.seconds, self.memory * MEBIBYTE, self.file * MEBIBYTE)
        programs = [
            (self.code(answer, question), cell(question, self.column, "passes_tests"))
            for answer, question in zip(answers, questions, strict=True)
        ]
        return [float(passed) for passed in all_pass(programs, limits)]

    def code(self, answer: str, question: Question) -> str:
        """What is run before the tests."""
        code = unfenced(answer)
        if self.continues:
            return question.prompt[-1].content + code
        return textwrap.dedent(code)
