"""What to change after a curve's verdict: the setting, its present value, and the next one to try, the best first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from sevenfold.evaluate.trained import Trained

ENOUGH_STEPS = 50
"""Steps that a short training is asked to have: five times what a verdict needs."""
PATIENCE = 2
"""Validations without a lower loss that are waited for where a recipe does not say."""
HIGHEST_RANK = 128
"""A rank above this is not the next thing to try."""
OFTEN = 0.5
"""From this share of clipped steps on the limit, and not the gradient, says how far a step goes."""


class Lever(BaseModel):
    """A setting and what to set it to."""

    key: str
    """As a recipe writes it; ``rows`` for the training rows themselves."""
    now: float | int | None
    """Its value in this training; None: not set."""
    next: float | int
    """The value to try next."""
    why: str

    def words(self) -> str:
        """The lever as a sentence's part."""
        return f"{self.key} {shown(self.now)} -> {shown(self.next)} ({self.why})"


def levers(verdict: str, evidence: Mapping[str, float], since: int | None, trained: Trained) -> list[Lever]:
    """The levers of a verdict; none where the record does not say what was set.

    Args:
        verdict: The curve's.
        evidence: The curve's figures.
        since: The step from which it went wrong.
        trained: The training's record.
    """
    ways = {
        "diverging": calmer,
        "fluctuating": steadier,
        "overfit": shorter,
        "underfit": longer,
        "too little signal": louder,
    }
    way = ways.get(verdict)
    return list(way(evidence, since, trained)) if way and trained.settings else []


def calmer(evidence: Mapping[str, float], since: int | None, trained: Trained) -> Iterator[Lever]:
    """Against a loss that runs away."""
    yield from rate(trained, 0.1, "the loss ran away at this rate")
    warmup, steps = trained.figure("warmup"), evidence["steps"]
    if warmup is not None and since is not None and since <= max(0.2, 2 * warmup) * steps:
        key = f"tune.schedule.{trained.settings.get('schedule')}.warmup"
        yield Lever(key=key, now=warmup, next=tidy(max(0.1, 2 * warmup)), why="it began while the rate was rising")
    yield from clipping(evidence, since, trained)


def steadier(evidence: Mapping[str, float], since: int | None, trained: Trained) -> Iterator[Lever]:
    """Against a loss that goes up and down."""
    yield from rate(trained, 1 / 3, "smaller steps do not jump over the valley")
    if (batch := trained.figure("batch")) is not None:
        yield Lever(key="tune.batch", now=int(batch), next=int(2 * batch), why="more rows a step, steadier gradients")
    yield from clipping(evidence, since, trained)


def shorter(evidence: Mapping[str, float], since: int | None, trained: Trained) -> Iterator[Lever]:
    """Against learning by heart."""
    best, steps = evidence.get("best_step", 0.0), evidence["steps"]
    if best > 0:
        yield from length(trained, best / steps, f"validation was best at step {best:.0f} of {steps:.0f}")
    else:
        yield from rate(trained, 0.1, "no trained step was better on validation rows than the base")
    if trained.figure("patience") is None:
        yield Lever(key="tune.patience", now=None, next=PATIENCE, why="stops by itself once validation rises")
    if (rows := trained.figure("rows")) is not None:
        yield Lever(key="rows", now=int(rows), next=int(2 * rows), why="more rows are harder to learn by heart")
    rank = trained.figure("rank")
    if rank is not None and rank >= 4:
        yield Lever(key=rank_key(trained), now=int(rank), next=int(rank // 2), why="less room to learn by heart in")
    if trained.figure("weight_decay") == 0:
        key = f"tune.optimizer.{trained.settings.get('optimizer')}.weight_decay"
        yield Lever(key=key, now=0.0, next=0.1, why="pulls weights back that the rows do not hold up")


def longer(evidence: Mapping[str, float], since: int | None, trained: Trained) -> Iterator[Lever]:
    """For a loss that had not come down yet."""
    if evidence.get("late", 0.0) > 0:
        yield from length(trained, 2, "it was still learning at the end")
        yield from rate(trained, 2, "the same way in fewer steps")
    else:
        yield from rate(trained, 5, "the loss hardly moved and then stayed")
        yield from length(trained, 2, "more steps at any rate")
    rank = trained.figure("rank")
    if rank is not None and 2 * rank <= HIGHEST_RANK:
        yield Lever(key=rank_key(trained), now=int(rank), next=int(2 * rank), why="more room to learn in")


def louder(evidence: Mapping[str, float], since: int | None, trained: Trained) -> Iterator[Lever]:
    """For a loss that did not move beyond its noise."""
    steps = evidence["steps"]
    if steps < ENOUGH_STEPS:
        yield from length(trained, ENOUGH_STEPS / max(1.0, steps), f"{steps:.0f} steps show little")
    if steps >= 10:
        yield from rate(trained, 10, "no change can be told from the rows' own noise")
    batch = trained.figure("batch")
    if batch is not None and steps >= ENOUGH_STEPS:
        yield Lever(key="tune.batch", now=int(batch), next=int(2 * batch), why="less noise in each step's loss")


def rate(trained: Trained, factor: float, why: str) -> Iterator[Lever]:
    """The learning rate, times a factor."""
    now = trained.figure("learning_rate")
    if now is not None:
        yield Lever(key="tune.learning_rate", now=now, next=tidy(now * factor), why=why)


def length(trained: Trained, factor: float, why: str) -> Iterator[Lever]:
    """The length of the training, by whichever setting it was given."""
    steps, epochs = trained.figure("steps"), trained.figure("epochs")
    if steps is not None:
        yield Lever(key="tune.steps", now=int(steps), next=max(1, round(steps * factor)), why=why)
    elif epochs is not None:
        yield Lever(key="tune.epochs", now=epochs, next=tidy(epochs * factor), why=why)


def clipping(evidence: Mapping[str, float], since: int | None, trained: Trained) -> Iterator[Lever]:
    """The gradient's limit: about what gradients were before it went wrong, where it is above that."""
    calm, clip = trained.calm(since), trained.figure("clip")
    if calm is None or calm <= 0 or evidence.get("clipped", 0.0) > OFTEN:
        return
    if clip is None or evidence.get("gradient_highest", 0.0) > 2 * calm < clip:
        why = (
            f"gradients were about {shown(tidy(calm))} long before, {shown(tidy(evidence['gradient_highest']))} at most"
        )
        yield Lever(key="tune.clip", now=clip, next=tidy(2 * calm), why=why)


def rank_key(trained: Trained) -> str:
    """The recipe's key of the rank."""
    return f"tune.method.{trained.settings.get('method')}.rank"


def tidy(value: float) -> float:
    """Two digits, as a person writes a setting."""
    return float(f"{value:.2g}")


def shown(value: float | None) -> str:
    """A setting's value in a sentence."""
    return "not set" if value is None else f"{value:g}"


def stops_at(validation: Mapping[int, float], patience: int) -> int | None:
    """The step after which so many validations brought no lower loss; None where that never came."""
    best, waited = float("inf"), 0
    for step in sorted(validation):
        if validation[step] < best:
            best, waited = validation[step], 0
        else:
            waited += 1
        if waited >= patience:
            return step
    return None
