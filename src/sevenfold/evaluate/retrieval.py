"""Where each question's own text stands among all held-out ones, by the vectors of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sevenfold.errors import ModelError
from sevenfold.generate.embeddings import EmbeddingEngine

if TYPE_CHECKING:
    from sevenfold.evaluate.held_out import Question
    from sevenfold.generate.engine import Engine


def asked(question: Question) -> str:
    """What a question asks for: all that stands before its own text."""
    return "\n".join(message.content for message in question.prompt)


def ranks(engine: Engine, questions: Sequence[Question], pool: Sequence[str]) -> list[float]:
    """The place of each question's own text among different ones, from 1, by the dot product of vectors.

    Of texts that are equally near, half stand before it.

    Args:
        engine: Gives vectors.
        questions: Their references are the own texts.
        pool: The texts to find them among, each once, theirs included.

    Raises:
        ModelError: The engine gives no vectors.
    """
    import numpy as np

    if not isinstance(engine, EmbeddingEngine):
        raise ModelError(
            "this model gives no vectors, so nothing can be found by them",
            next_step="leave recall and mrr out of evaluate.metrics; or tune.objective: embed",
        )
    texts_PD = np.array(engine.embed(pool))
    asked_ND = np.array(engine.embed([asked(question) for question in questions], query=True))
    places = {text: place for place, text in enumerate(pool)}
    near_NP = asked_ND @ texts_PD.T
    own_N1 = near_NP[np.arange(len(questions)), [places[question.reference] for question in questions]][:, None]
    nearer_N = (near_NP > own_N1).sum(1)
    # The own text is among its equals.
    equal_N = (near_NP == own_N1).sum(1) - 1
    found: list[float] = (1 + nearer_N + equal_N / 2).tolist()
    return found
