"""Made rows before a judge: is the reply right, and does the row belong to the task."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Field

from sevenfold.chat.conversation import Conversation
from sevenfold.errors import DataError
from sevenfold.generate.judge import Judge
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.making.endpoint import Asking, Endpoint, without_secret
from sevenfold.prepare.synthesis import written
from sevenfold.schema import Strict

LOWEST, HIGHEST = 1, 9
ACCURACY = "A good answer is right: what it says is true, follows from the question, and leaves out nothing asked for."
RELEVANCE = "A good answer, with its question, belongs to the same task as these rows and is in their form:\n"


class Judging(Strict):
    """Who judges what was made, and what is good enough; scores are 0 for the worst and 1 for the best."""

    model: str | None = Field(
        None, description="The judge's name at its service; null: the model that writes the rows."
    )
    address: Annotated[str, AfterValidator(lambda value: value and without_secret(value))] = Field(
        "", description="The judge's base address, or $NAME, a variable that holds it; empty: that of the endpoint."
    )
    key_variable: str = Field("OPENAI_API_KEY", description="The environment variable that holds the judge's key.")
    accuracy: float = Field(0.6, ge=0, le=1, description="The least score for a right reply.")
    relevance: float = Field(0.6, ge=0, le=1, description="The least score for belonging to the task.")

    def endpoint(self, writer: Endpoint) -> Endpoint:
        """Where the judge is asked."""
        return Endpoint(
            address=self.address or writer.address,
            model=self.model or writer.model,
            key_variable=self.key_variable if self.address else writer.key_variable,
            seconds=writer.seconds,
            tries=writer.tries,
        )


class Bench:
    """The two judges.

    Args:
        settings: What is good enough.
        asking: Keeps their scores, and says who writes the rows.
        examples: Rows of the task.
    """

    def __init__(self, settings: Judging, asking: Asking, examples: Sequence[Row]) -> None:
        self.settings, self.asking, self.examples = settings, asking, examples
        self.scores: dict[str, list[float]] = {"accuracy": [], "relevance": []}

    def reason(self, conversation: Conversation) -> tuple[str, str]:
        """Why a row is not good enough, with its score; empty: it is."""
        for name, judge in self.judges.items():
            least = getattr(self.settings, name)
            if not least:
                continue
            try:
                score = self.score(name, judge, conversation)
            except DataError as error:
                return "no_score", error.problem
            self.scores[name].append(score)
            if score < least:
                return f"judged_{name}", f"{score:.2f}"
        return "", ""

    def score(self, name: str, judge: Judge, conversation: Conversation) -> float:
        """A score from 0 to 1, asked for once."""
        asked = [turn.as_dict() for turn in conversation.prompt()]
        reply = conversation.reference()

        def ask() -> tuple[float, int]:
            return judge.score(asked, reply), 0

        question = {"judged": name, "model": judge.model, "criteria": judge.criteria, "asked": asked, "reply": reply}
        return (float(self.asking.once(question, ask)) - LOWEST) / (HIGHEST - LOWEST)

    @cached_property
    def judges(self) -> dict[str, Judge]:
        """Who scores what."""
        who = self.settings.endpoint(self.asking.endpoint)
        criteria = {"accuracy": ACCURACY, "relevance": RELEVANCE + "\n".join(map(written, self.examples))}
        return {
            name: Judge(who.found(), who.model, words, LOWEST, HIGHEST, who.seconds, who.tries, who.key_variable)
            for name, words in criteria.items()
        }
