"""An engine between guards: what may not go in is not asked, what may not come out is not said."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.chat.encoder import TokenSequence
from sevenfold.errors import SevenfoldError
from sevenfold.generate.engine import Answer, Engine, Sampling, Score
from sevenfold.guard import Judgement, OpenGuard, Side

REFUSAL = "I cannot help with that."


@dataclass
class Counts:
    """What happened, for the service's figures.

    Args:
        asked: Prompts that were judged.
        stopped_prompts: Prompts that were refused unasked.
        stopped_answers: Answers that were held back.
        failures: Judgements that a guard could not make.
    """

    asked: int = 0
    stopped_prompts: int = 0
    stopped_answers: int = 0
    failures: int = 0


class Guarded(Engine):
    """An engine whose prompts and answers a guard judges; it answers as any engine does.

    A prompt is judged as the text that its ids stand for: template marks are left out, earlier turns are part of it.
    A refused prompt costs no generation. An answer is held back whole: a stream begins only when all of it was judged.

    Args:
        engine: Who answers.
        guard: Who judges.
        refusal: What is said instead.
        sides: Which ends are judged.
        closed: Whether a guard that fails stops what it could not judge; otherwise it passes, counted.
    """

    def __init__(
        self,
        engine: Engine,
        guard: OpenGuard,
        refusal: str = REFUSAL,
        sides: Sequence[Side] = ("prompt", "response"),
        closed: bool = True,
    ) -> None:
        self.engine, self.guard, self.refusal, self.sides, self.closed = engine, guard, refusal, sides, closed
        self.encoder, self.context, self.counts = engine.encoder, engine.context, Counts()

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name of who answers."""
        return self.engine.name

    @property
    def tasks(self) -> Mapping[str, Engine]:
        """Each adapter behind the same guard."""
        return {
            name: Guarded(one, self.guard, self.refusal, self.sides, self.closed)
            for name, one in self.engine.tasks.items()
        }

    def generate(self, prompts: Sequence[list[int]], sampling: Sampling) -> list[Answer]:
        """Answers in the order of the prompts; what is stopped answers with the refusal."""
        started = time.perf_counter()
        texts = [self.encoder.decode(prompt, skip_special=True) for prompt in prompts]
        self.counts.asked += len(prompts)
        asked = [Conversation((Message("user", text),)) for text in texts]
        passed = self.passing(asked, "prompt") if "prompt" in self.sides else [True] * len(prompts)
        self.counts.stopped_prompts += passed.count(False)
        open_places = [place for place, good in enumerate(passed) if good]
        answered = self.engine.generate([prompts[place] for place in open_places], sampling) if open_places else []
        answers = dict(zip(open_places, self.checked([texts[place] for place in open_places], answered), strict=True))
        seconds = time.perf_counter() - started
        return [
            answers[place] if place in answers else self.refused(prompts[place], seconds)
            for place in range(len(prompts))
        ]

    def checked(self, texts: Sequence[str], answers: Sequence[Answer]) -> list[Answer]:
        """Answers that may be said, and the refusal in the place of the others."""
        if "response" not in self.sides or not answers:
            return list(answers)
        said = [
            Conversation((Message("user", text), Message("assistant", answer.text)))
            for text, answer in zip(texts, answers, strict=True)
        ]
        passed = self.passing(said, "response")
        self.counts.stopped_answers += passed.count(False)
        return [
            answer if good else replace(answer, text=self.refusal, ids=[], finish_reason="stop", labels={})
            for answer, good in zip(answers, passed, strict=True)
        ]

    def passing(self, conversations: Sequence[Conversation], side: Side) -> list[bool]:
        """Which conversations may go on; a guard that fails is counted, and stops them unless it is open."""
        try:
            judged = self.guard.judge(conversations, side)
        except SevenfoldError as error:
            judged = [Judgement(not self.closed, 1.0, why=error.problem, failed=True) for _ in conversations]
        self.counts.failures += sum(one.failed for one in judged)
        return [not self.closed if one.failed else one.safe for one in judged]

    def refused(self, prompt: list[int], seconds: float) -> Answer:
        """The refusal as an answer that wrote no token."""
        return Answer(self.refusal, [], "stop", len(prompt), 0, seconds)

    def stream(self, prompt: list[int], sampling: Sampling) -> Generator[str | Answer, None, None]:
        """The whole answer as one piece once it was judged, piece by piece where answers are not judged."""
        if "response" not in self.sides and self.let_in(prompt):
            yield from self.engine.stream(prompt, sampling)
            return
        if "response" not in self.sides:
            answer = self.refused(prompt, 0.0)
        else:
            (answer,) = self.generate([prompt], sampling)
        if answer.text:
            yield answer.text
        yield answer

    def let_in(self, prompt: list[int]) -> bool:
        """Whether one prompt may be asked, counted."""
        self.counts.asked += 1
        if "prompt" not in self.sides:
            return True
        text = self.encoder.decode(prompt, skip_special=True)
        (good,) = self.passing([Conversation((Message("user", text),))], "prompt")
        self.counts.stopped_prompts += not good
        return good

    def next_log_probs(self, prompt: list[int], count: int) -> dict[int, float]:
        """Those of who answers: a probability is no answer."""
        return self.engine.next_log_probs(prompt, count)

    def score(self, sequences: Sequence[TokenSequence]) -> list[Score]:
        """Those of who answers."""
        return self.engine.score(sequences)

    def close(self) -> None:
        """Give back the engine and the guard."""
        self.engine.close()
        self.guard.close()


def guarded(engine: Engine, guard: OpenGuard, refusal: str = REFUSAL, closed: bool = True) -> Guarded:
    """An engine that judges what goes in and what comes out, and refuses with a stated text.

    Args:
        engine: Who answers.
        guard: Who judges; closed with the engine.
        refusal: What is said instead of what may not pass.
        closed: Whether a guard that fails stops what it could not judge.
    """
    return Guarded(engine, guard, refusal, closed=closed)
