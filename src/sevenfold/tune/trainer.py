"""The one loop."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import torch

from sevenfold.console import Task
from sevenfold.record import Entry, writing
from sevenfold.tune import checkpoint, interrupt, own, watch
from sevenfold.tune.batches import Batches
from sevenfold.tune.encoded import Encoded
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.methods import Moment
from sevenfold.tune.objectives import Figures
from sevenfold.tune.section import TuneSection
from sevenfold.tune.several.validation import by_task
from sevenfold.tune.terms import by_group, laid, state_of
from sevenfold.tune.tuned import HISTORY_FILE

if TYPE_CHECKING:
    from sevenfold.chat.encoder import TokenSequence


@dataclass
class Step:
    """One line of ``history.jsonl``.

    Args:
        step: Counted from 1.
        loss: The objective's mean loss, nats, with what stands beside it.
        learning_rate: The rate of this step.
        gradient_norm: Before clipping.
        tokens: Real tokens read.
        targets: Their supervised part.
        seconds: Time of the step.
        figures: What else the objective watches, a mean each.
    """

    step: int
    loss: float
    learning_rate: float
    gradient_norm: float
    tokens: int
    targets: int
    seconds: float
    figures: Figures = field(default_factory=dict)


@dataclass(frozen=True)
class Update:
    """One move of the optimiser; fields as of :class:`Step`."""

    loss: float
    norm: float
    tokens: int
    targets: int
    figures: Figures


@dataclass
class Progress:
    """What the trainer remembers between steps; all of it is in a checkpoint."""

    step: int = 0
    losses: list[float] = field(default_factory=list)
    validation_losses: dict[int, float] = field(default_factory=dict)
    validation_figures: dict[int, Figures] = field(default_factory=dict)

    @property
    def best_step(self) -> int:
        """The trained step with the lowest validation loss; the last one without validation."""
        trained = {step: loss for step, loss in self.validation_losses.items() if step}
        return min(trained, key=lambda step: trained[step]) if trained else self.step


class Trainer:
    """Trains what a method made trainable, on what an objective asks.

    Args:
        forward: The network, with the method attached.
        section: The recipe's section.
        train: Rows to learn from.
        validation: Rows to watch; may be empty.
        seed: Of the rows' order.
        entry: The stage's folder, notes and progress.

    ``until`` is the step to stop at; it is the last one unless somebody sets it lower.
    """

    def __init__(
        self, forward: Forward, section: TuneSection, train: Encoded, validation: Encoded, seed: int, entry: Entry
    ) -> None:
        self.forward, self.section, self.entry = forward, section, entry
        self.rows, self.validation = train, validation
        self.batches = Batches.of(section, train, seed)
        self.weights = moving(forward, section)
        self.mover = section.method.mover(forward, section, self.weights)
        self.kept = {**self.weights, **section.method.state(forward.network), **own.state(forward.own)}
        self.kept |= state_of(forward.terms)
        self.seed = seed
        self.total = section.total_steps(len(train))
        self.until = self.total
        self.progress = Progress()

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.entry.folder / "checkpoints"

    def train(self) -> Progress:
        """Run to the end, from where an earlier process stopped."""
        self.resume()
        with interrupt.requests() as stop, self.entry.console.task("training", self.total) as bar:
            bar.advance(self.progress.step)
            if not self.progress.validation_losses:
                self.validate()
            while self.progress.step < self.until and not self.is_over():
                step = self.step(self.batches.at(self.progress.step))
                self.log(step, bar)
                if self.validation_is_due():
                    self.validate()
                if self.checkpoint_is_due() or stop.signal:
                    self.save()
                if stop.signal:
                    raise self.interrupted(stop)
        return self.progress

    def step(self, rows: list[int]) -> Step:
        """Learn from some rows: the objective's updates, most often one, at one learning rate."""
        started = time.perf_counter()
        rate = self.section.learning_rate * self.section.schedule.factor(self.progress.step, self.total)
        self.mover.set_rate(rate)
        collected = self.section.objective.collect(
            self.forward, self.rows.rows(rows), self.rows.sequences(rows), self.moment
        )
        for note in collected.notes:
            if note not in self.entry.record.notes:
                self.entry.note(note)
        done = [self.update(sequences, rows) for sequences in collected.updates]
        self.progress.step += 1
        self.progress.losses.append(fmean(one.loss for one in done))
        return Step(
            self.progress.step,
            self.progress.losses[-1],
            rate,
            max(one.norm for one in done),
            sum(one.tokens for one in done),
            sum(one.targets for one in done),
            time.perf_counter() - started,
            {**collected.figures, **means([one.figures for one in done])},
        )

    def update(self, sequences: list[TokenSequence], rows: list[int]) -> Update:
        """One move of the optimiser; ``rows`` are named when it goes wrong."""
        batch = laid(self.section, sequences)
        method, network, moment = self.section.method, self.forward.network, self.moment

        def before_move(loss: float, norm: float) -> None:
            self.guard(loss, norm, rows)
            method.before_move(network, moment)

        method.begin(network, moment)
        self.mover.begin(moment)
        for term in self.forward.terms:
            term.begin(moment)
        try:
            loss, norm = self.mover.step(batch, before_move)
        except watch.TrainingError as error:
            error.at(self.place(rows))
            raise
        method.moved(network, moment)
        for term in self.forward.terms:
            term.moved()
        tokens, targets = sum(part.tokens for part in batch), sum(len(part.labels_N) for part in batch)
        return Update(loss, norm, tokens, targets, self.mover.figures)

    @property
    def moment(self) -> Moment:
        """Where the training stands."""
        return Moment(self.progress.step, self.total, self.seed)

    def guard(self, loss: float, norm: float, rows: list[int]) -> None:
        """Stop before a bad step moves anything; the state before it is saved."""
        try:
            watch.check([*self.progress.losses, loss], norm, self.section.spike, self.place(rows))
        except watch.TrainingError:
            self.mover.forget()
            self.save()
            raise

    def place(self, rows: list[int]) -> str:
        """The step that is done now, and its first rows, for messages."""
        origins = ", ".join(self.rows.origins[row] for row in rows[:8])
        return f"step {self.progress.step + 1}, rows: {origins}"

    def log(self, step: Step, bar: Task) -> None:
        """Keep a step's figures and show them."""
        with (self.entry.folder / HISTORY_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(step)) + "\n")
        bar.advance(1, f"loss {step.loss:.3f}  {step.tokens / step.seconds:,.0f} tokens/s")

    def validation_is_due(self) -> bool:
        """Every ``validate_every`` steps (default: once an epoch) and at the end."""
        every = self.section.validate_every or self.batches.per_epoch
        return self.progress.step % every == 0 or self.progress.step == self.total

    def validate(self) -> None:
        """The objective's loss on validation rows; keeps the weights when it is the lowest so far."""
        if not len(self.validation):
            return
        rows = range(min(len(self.validation), self.section.validation_rows))
        with self.section.optimizer.settled(self.mover.optimizer):
            self.watch(rows)

    def watch(self, rows: range) -> None:
        """The objective's loss on some validation rows, of the weights as they are."""
        loss, figures = self.section.objective.validation(
            self.forward, self.validation.rows(rows), self.validation.sequences(rows), self.section.tokens_per_pass
        )
        figures = figures | by_task(self.section, self.forward, self.validation, rows)
        figures = figures | by_group(self.section, self.forward, self.validation, rows)
        self.progress.validation_losses[self.progress.step] = loss
        self.progress.validation_figures[self.progress.step] = figures
        told = "".join(f", {name} {value:.4g}" for name, value in figures.items())
        self.entry.console.say(f"  step {self.progress.step}: validation loss {loss:.4f}{told}")
        if self.section.keep == "best" and self.progress.step and self.progress.best_step == self.progress.step:
            self.keep_best()

    @property
    def best(self) -> Path:
        """The file of the best weights so far."""
        return self.entry.folder / "best.safetensors"

    def keep_best(self) -> None:
        """Write the weights as the best so far."""
        from safetensors.torch import save_file

        with writing(self.best) as path:
            save_file({name: weight.detach().contiguous() for name, weight in self.kept.items()}, path)

    def take_best(self) -> int:
        """Put the weights that are to be kept into the network; gives their step."""
        if self.section.keep == "last" or not self.best.exists():
            self.section.optimizer.settle(self.mover.optimizer)
            return self.progress.step
        checkpoint.load_weights(self.best, self.kept)
        return self.progress.best_step

    def is_over(self) -> bool:
        """Whether validation stopped improving."""
        return watch.is_over(self.progress.validation_losses, self.section.patience)

    def checkpoint_is_due(self) -> bool:
        """Every ``checkpoint_every`` steps and at the end."""
        return self.progress.step % self.section.checkpoint_every == 0 or self.progress.step == self.total

    def save(self) -> Path:
        """Write a checkpoint."""
        state = asdict(self.progress)
        return checkpoint.save(self.checkpoints, state, self.kept, self.mover.optimizer, self.section.checkpoints)

    def resume(self) -> None:
        """Continue from the newest checkpoint; figures of steps behind it are taken off the history."""
        found = checkpoint.found(self.checkpoints)
        if found:
            state = checkpoint.load(found[-1], self.kept, self.mover.optimizer)
            validations, figures = (
                {int(step): value for step, value in state[kind].items()}
                for kind in ("validation_losses", "validation_figures")
            )
            self.progress = Progress(state["step"], state["losses"], validations, figures)
            self.entry.note(f"resumed from step {self.progress.step}")
        cut_history(self.entry.folder / HISTORY_FILE, self.progress.step)

    def interrupted(self, stop: interrupt.Request) -> interrupt.Interrupted:
        """What the user is told after a signal."""
        name = stop.signal.name if stop.signal else ""
        return interrupt.Interrupted(
            f"stopped by {name} after step {self.progress.step} of {self.total}; everything is saved",
            next_step="run the same command to go on from here",
        )


def moving(forward: Forward, section: TuneSection) -> dict[str, torch.nn.Parameter]:
    """Everything that an optimiser moves, by name: the method's parameters, and the objective's own."""
    beside = forward.own.named_parameters() if forward.own is not None else ()
    return {
        **section.method.trainable(forward.network),
        **{f"objective.{name}": weight for name, weight in beside if weight.requires_grad},
    }


def means(figures: list[Figures]) -> Figures:
    """The mean of each figure over some updates."""
    return {name: fmean(one[name] for one in figures) for name in (figures[0] if figures else ())}


def cut_history(path: Path, step: int) -> None:
    """Keep a history's whole lines up to a step; a process killed in a write leaves half a line."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line)
        except ValueError:
            break
    with writing(path) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
