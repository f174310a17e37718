"""Answers that loop."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sevenfold.monitor.baseline import Baseline
from sevenfold.monitor.checks import Check, Finding
from sevenfold.monitor.text import words
from sevenfold.monitor.window import Window

LONGEST_UNIT = 400
"""The longest text that is looked for again at an answer's end, characters."""


class Repetition(Check):
    """Whether too many answers loop: the same text over and over to the end, or few new words in a long answer."""

    gives: ClassVar[tuple[str, ...]] = ("share", "repeated_mean")

    share: float = Field(
        0.02, ge=0, lt=1, description="Share of looping answers that is allowed; few human texts look like a loop."
    )
    times: int = Field(4, ge=2, description="The end of an answer loops when it is one text so many times in a row.")
    characters: int = Field(40, ge=1, description="A shorter repetition at the end is a ruler or an ellipsis, no loop.")
    repeated: float = Field(
        0.5, gt=0, le=1, description="An answer loops when more of its four-word runs were there before."
    )
    words: int = Field(60, ge=8, description="Shorter answers are not judged by their four-word runs, words.")

    def judge(self, window: Window, baseline: Baseline) -> Finding:
        """Look at a window."""
        answers = [exchange.answer for exchange in window.answered if exchange.answer]
        loops = sum(self.loops(answer) for answer in answers)
        verdict, reason = self.judge_share("answers loop", loops, len(answers), self.share)
        if not answers:
            return self.finding(verdict, reason)
        mean = sum(repeated_runs(words(answer)) for answer in answers) / len(answers)
        return self.finding(verdict, reason, share=loops / len(answers), repeated_mean=mean)

    def loops(self, answer: str) -> bool:
        """Whether an answer loops."""
        if ends_in_a_loop(answer.rstrip(), self.times, self.characters):
            return True
        said = words(answer)
        return len(said) >= self.words and repeated_runs(said) > self.repeated


def repeated_runs(said: list[str], length: int = 4) -> float:
    """The share of runs of words that were there before: ``seq-rep-n``, 1 - distinct runs / runs.

    Welleck et al., "Neural text generation with unlikelihood training", 2020.

    Args:
        said: Words.
        length: Words in a run.
    """
    runs = [tuple(said[start : start + length]) for start in range(len(said) - length + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def ends_in_a_loop(text: str, times: int, characters: int) -> bool:
    """Whether a text ends in ``times`` copies of one piece of text, ``characters`` long together or more."""
    import numpy as np

    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    for period in range(1, min(LONGEST_UNIT, len(codes) // times) + 1):
        span = max(times * period, characters)
        end = codes[-span:]
        if len(end) == span and np.array_equal(end[period:], end[:-period]):
            return True
    return False
