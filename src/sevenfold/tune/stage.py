"""Stage 4, ``tune``: dataset, model and environment to a tuned model."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from sevenfold.errors import DataError, RecipeError
from sevenfold.load.model import Model
from sevenfold.prepare.dataset import Dataset
from sevenfold.record import Entry
from sevenfold.setup.environment import Environment
from sevenfold.tune import kept
from sevenfold.tune.section import TuneSection
from sevenfold.tune.settings import settings_of
from sevenfold.tune.tokens import encoded_split
from sevenfold.tune.tuned import Tuned

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.trainer import Trainer


def tune(section: TuneSection, dataset: Dataset, model: Model, environment: Environment, entry: Entry) -> Tuned:
    """Train, resuming from the last checkpoint, and keep the best weights.

    Args:
        section: The recipe's section ``tune``.
        dataset: Rows with the splits ``train`` and perhaps ``validation``.
        model: The base model.
        environment: Device, precision and seed.
        entry: The stage's folder, notes and progress.

    Returns:
        The tuned model, in ``entry.folder``.

    Raises:
        DataError: No row can be learnt from.
        RecipeError: The engine cannot work as ``tune.engine`` asks.
        MachineError: The plan needs more memory than there is.
        TrainingError: The loss is not a number or jumped.
        Interrupted: Ctrl-C or SIGTERM; the state is saved.
    """
    from sevenfold.tune import memory, references, taken, terms
    from sevenfold.tune.engine import activations, compiled, trunk
    from sevenfold.tune.trainer import Trainer
    from sevenfold.tune.work import work_of

    if not section.method.trains:
        return taken.take(section, dataset, model, environment, entry)
    check_length(section, model)
    rows = section.objective.taught(dataset, model, environment, entry)
    section = section.settled(rows).searched(model, rows, environment, entry)
    encoded = {split: encoded_split(split, section, rows, model, entry) for split in ("train", "validation")}
    if not len(encoded["train"]):
        raise DataError("no row is left to learn from", where=str(entry.folder), next_step="see the notes above")
    plan = environment.plan(work_of(section, encoded["train"], model, environment))
    entry.metric("plan", asdict(plan))
    plan.require()
    environment.start()
    memory.reset_peak()
    forward = build(section, model, environment)
    forward.notes += activations.apply(section.engine.activations, forward.network, plan)
    for note in forward.notes:
        entry.note(note)
    terms.start(section, forward, model, environment, entry)
    cache = trunk.apply(section, forward, encoded, entry)
    if section.objective.reference:
        references.apply(section, forward, encoded, model, environment, entry)
    compiled.apply(section.engine.compile, forward, plan.seconds, entry, cache.depth if cache else 0)
    trainer = Trainer(forward, section, encoded["train"], encoded["validation"], environment.seed, entry)
    trainer.train()
    trunk.remove(entry.folder)
    terms.finish(section, trainer.progress, entry)
    return finish(trainer, model, dataset, memory.peak_bytes(environment.device), entry)


def build(section: TuneSection, model: Model, environment: Environment) -> Forward:
    """The network as it trains: on its device, the method attached, the engine's parts in place."""
    from sevenfold.tune.engine import dropout
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.lora import share_inputs
    from sevenfold.tune.engine.probe import trial

    method = section.method
    network = model.network(method.weights_dtype(environment.dtype))
    dropped = dropout.apply(section.dropout, network)
    method.attach(network)
    network.to(environment.device)  # type: ignore[arg-type]
    network.train()
    forward = Forward(network, environment.dtype)
    forward.notes += dropped
    forward.notes += share_inputs(network, lambda: forward(trial(network)))
    forward.notes += method.notes(network)
    forward.own = section.objective.own(network, model)
    if forward.own is not None:
        forward.own.to(environment.device).train()
    if not method.mergeable:
        forward.notes.append(
            "what is learnt cannot be written as plain weights: it is exported as an adapter and served beside its "
            "base, and there is neither a merged form nor a GGUF"
        )
    return forward


def check_length(section: TuneSection, model: Model) -> None:
    """Refuse sequences that the model cannot attend to."""
    if section.max_length > model.card.context:
        raise RecipeError(
            f"tune.max_length = {section.max_length} is over the context of {model.card.name}",
            expected=f"at most {model.card.context} tokens",
        )


def finish(trainer: Trainer, model: Model, dataset: Dataset, peak: int, entry: Entry) -> Tuned:
    """Write the weights that are kept and the training's figures."""
    section, progress = trainer.section, trainer.progress
    best_step = trainer.take_best()
    trainer.forward.network.eval()
    section.objective.finished(trainer.forward, trainer.rows, section.tokens_per_pass)
    save_weights(section, trainer.forward.network, trainer.forward.own, model, dataset, entry.folder / "weights")
    tuned = Tuned(
        method=kept.written(section, "method", entry.folder),
        objective=kept.written(section, "objective", entry.folder),
        adapter=section.method.adapter,
        steps=progress.step,
        best_step=best_step,
        trainable_parameters=sum(weight.numel() for weight in trainer.weights.values()),
        tokens=0,
        tokens_per_second=0.0,
        peak_memory_bytes=peak,
        losses=progress.losses,
        validation_losses=progress.validation_losses,
        validation_figures=progress.validation_figures,
        settings=settings_of(section, len(trainer.rows)),
    ).save(entry.folder)
    history = tuned.history()
    tuned.tokens = sum(step["tokens"] for step in history)
    tuned.tokens_per_second = round(tuned.tokens / max(sum(step["seconds"] for step in history), 1e-9), 1)
    tuned.save(entry.folder)
    for name in ("steps", "best_step", "trainable_parameters", "tokens", "tokens_per_second", "peak_memory_bytes"):
        entry.metric(name, getattr(tuned, name))
    entry.metric("losses", tuned.losses)
    entry.metric("validation_losses", tuned.validation_losses)
    entry.metric("validation_figures", tuned.validation_figures)
    return tuned


def save_weights(
    section: TuneSection,
    network: PreTrainedModel,
    beside: nn.Module | None,
    model: Model,
    dataset: Dataset,
    place: Path,
) -> None:
    """Write the weights folder in one move, with a record of what an adapter was trained on."""
    from sevenfold.tune import own
    from sevenfold.tune.several import provenance

    temporary = Path(tempfile.mkdtemp(dir=place.parent, prefix=".weights-"))
    section.method.save(network, temporary, model.card.name)
    own.save(beside, temporary)
    if section.method.adapter and section.method.trains:
        provenance.write(temporary, section, model, dataset)
    if place.exists():
        shutil.rmtree(place)
    temporary.chmod(0o755)
    temporary.rename(place)
