"""The stage ``deploy``: a tuned model to exports and a service that was tried."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sevenfold.deploy.exports import EXPORTS, Export
from sevenfold.deploy.material import Material
from sevenfold.deploy.section import DeploySection
from sevenfold.deploy.serve.names import under
from sevenfold.deploy.service import Beside, Exported, Service
from sevenfold.deploy.smoke import try_out
from sevenfold.disk import machine_error
from sevenfold.generate.engines.transformers import Transformers
from sevenfold.load.model import Model
from sevenfold.prepare.dataset import Dataset, Row
from sevenfold.record import Entry, digest, file_digest
from sevenfold.setup.environment import Environment
from sevenfold.tune.tuned import Tuned


def deploy(
    section: DeploySection, dataset: Dataset, model: Model, environment: Environment, tuned: Tuned, entry: Entry
) -> Service:
    """Write the exports, start the service once on a free port, and ask it held-out questions.

    Args:
        section: The forms, the engine and the server's settings.
        dataset: Its test split holds the questions.
        model: The base model.
        environment: Its threads are the engine's threads.
        tuned: What was learnt.
        entry: The stage's view of the record.

    Returns:
        The service, with the answers of the smoke test.

    Raises:
        ModelError: An export is not possible for this model, or the engine cannot open it.
        MachineError: The disk is full, or a part is not installed.
    """
    service = Service(
        model=entry.folder.parent.name,
        engine=section.model_dump(mode="json")["engine"],
        serves=section.engine.form,
        context=min(section.serve.context, model.card.context or section.serve.context),
        stop_ids=model.stop_ids,
        lead=tuple(tuned.lead(model)),
        exports={},
        records={},
        skipped={},
        start=f"sevenfold serve {entry.folder.parent}",
        smoke=[],
    )
    service._folder = entry.folder
    with replaced(entry.folder / "tokenizer") as folder:
        model.tokenizer().save_pretrained(folder)
    material = Material(model, tuned, {}, environment.threads)
    if reason := tuned.unmergeable():
        serve_beside(service, material, reason, entry)
    elif not tuned.chosen_objective().writes:
        serve_beside(
            service, material, f"it answers with the head of the objective {next(iter(tuned.objective))}", entry
        )
    elif tuned.tasks():
        serve_several(service, section, material, entry)
    write_exports(section.export, material, service, entry)
    name_of = partial(served_name, service, tuned)
    service.smoke.extend(try_out(service, section, dataset, environment, entry, name_of))
    return service.save(entry.folder)


def serve_several(service: Service, section: DeploySection, material: Material, entry: Entry) -> None:
    """Let requests choose among several adapters, where the engine can change them; else say which one answers."""
    tasks = material.tuned.tasks()
    if isinstance(section.engine, Transformers):
        service.tasks = list(tasks)
        names = ", ".join(under(service.model, task) for task in tasks)
        serve_beside(service, material, f"requests choose among {names}; {service.model} is the first", entry)
        return
    entry.note(
        f"the service answers with the adapter of the task {tasks[0]!r} alone: the engine {next(iter(service.engine))} "
        f"opens merged weights; deploy.engine: transformers serves {', '.join(tasks)}"
    )


def served_name(service: Service, tuned: Tuned, row: Row) -> str | None:
    """The name that answers a row: its task's where requests can choose; None where another task's adapter serves."""
    tasks = tuned.tasks()
    task = tuned.task_of(row) if tasks else None
    if service.tasks:
        return under(service.model, str(task))
    return service.model if not tasks or task == tasks[0] else None


def serve_beside(service: Service, material: Material, reason: str, entry: Entry) -> None:
    """Let the service open the base with what was learnt beside it, whatever engine the recipe names."""
    name = next(iter(service.engine))
    service.engine, service.serves = {"transformers": {}}, "adapter"
    service.beside = Beside(
        base=os.path.relpath(material.model.folder, entry.folder),
        tuned=os.path.relpath(material.tuned.folder, entry.folder),
        dtype=str(material.stored_dtype()).removeprefix("torch."),
    )
    instead = "" if name == "transformers" else f", not {name}"
    entry.note(f"the service answers by transformers{instead}, with what was learnt beside the base: {reason}")


def write_exports(exports: list[Export], material: Material, service: Service, entry: Entry) -> None:
    """Write each form into its folder and its record into ``service``; merged first, as other forms come from it."""
    ordered = sorted(exports, key=lambda export: EXPORTS.name_of(export) != "merged")
    with entry.console.task("exports", len(ordered)) as task:
        for export in ordered:
            name = EXPORTS.name_of(export)
            if reason := export.skipped(material):
                service.skipped[name] = reason
                entry.note(f"export {name}: left out, {reason}")
            else:
                record = write(export, name, material, entry.folder)
                service.exports[name], service.records[name] = record.path, record
                tell(name, record, entry)
            task.advance(note=name)


def write(export: Export, name: str, material: Material, folder: Path) -> Exported:
    """Write one form so that its folder is there whole or not at all."""
    started = time.monotonic()
    with replaced(folder / name) as temporary:
        notes = export.write(material, temporary)
    material.done[name] = folder / name
    paths = sorted(path for path in (folder / name).rglob("*") if path.is_file())
    files = {str(path.relative_to(folder / name)): file_digest(path) for path in paths}
    return Exported(
        path=name,
        bytes=sum(path.stat().st_size for path in paths),
        sha256=digest(files),
        files=files,
        seconds=round(time.monotonic() - started, 2),
        notes=notes,
    )


@contextmanager
def replaced(target: Path) -> Iterator[Path]:
    """An empty folder that takes the name and place of ``target`` when the block ends well."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as place:
            new = Path(place) / target.name
            new.mkdir()
            yield new
            if target.exists():
                target.rename(Path(place) / "old")
            new.rename(target)
    except OSError as error:
        raise machine_error(error, target) from error


def tell(name: str, record: Exported, entry: Entry) -> None:
    """Say what was written."""
    entry.metric(f"{name}_bytes", record.bytes)
    entry.metric(f"{name}_sha256", record.sha256)
    notes = "".join(f"; {note}" for note in record.notes)
    entry.note(f"export {name}: {record.bytes / 1e6:,.1f} MB in {record.seconds:.1f} s{notes}")
