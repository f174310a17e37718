"""The command ``rollback``: a run's tuned model of which a part is the base's again."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from sevenfold.console import Console
from sevenfold.disk import refusals
from sevenfold.errors import RecipeError
from sevenfold.record import Record, write_json

if TYPE_CHECKING:
    from sevenfold.load.model import Model
    from sevenfold.tune.engine.halves import Half
    from sevenfold.tune.rollback import RolledBack
    from sevenfold.tune.tuned import Tuned

FILE = "rolled-back.json"


@dataclass(frozen=True)
class Outcome:
    """What the command did.

    Args:
        run: The run whose model it was.
        which: What was asked for.
        folder: Where the new model is.
        dtype: The type of its weights.
        found: What was rolled back.
    """

    run: str
    which: list[str]
    folder: Path
    dtype: str
    found: RolledBack

    def as_json(self) -> dict[str, Any]:
        """The object of ``--json``; it lies beside the new model too."""
        return {
            "run": self.run,
            "which": self.which,
            "folder": str(self.folder),
            "dtype": self.dtype,
            "weights": self.found.weights,
            "changed": self.found.changed,
            "of": self.found.of,
            "parameters": self.found.names,
        }


def run(folder: Path, which: list[str], to: Path, seed: int) -> Outcome:
    """Put the part back and write the model with its tokenizer.

    Args:
        folder: The run.
        which: ``even``, ``odd``, a share, or patterns of parameters' names.
        to: The new folder.
        seed: Of what a share draws.

    Raises:
        RecipeError: The run has no tuned model of the model that it holds, ``which`` names nothing, or the new folder
            is not empty.
        ModelError: The method gives no plain weights.
    """
    from sevenfold.deploy.material import Material, write_model
    from sevenfold.tune.rollback import roll_back

    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise RecipeError(f"the folder {str(to)!r} is not empty", where="--to", next_step="--to: another folder")
    record = Record.open(folder)
    tuned, model = results(record)
    network: Any
    network, found = roll_back(tuned, model, part(which), seed)
    dtype = Material(model, tuned, {}).stored_dtype()
    outcome = Outcome(record.name, which, to, str(dtype).removeprefix("torch."), found)
    with refusals(to):
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}.") as place:
            # A folder within: a temporary folder is closed to all others, what is renamed is not to be.
            inside = Path(place) / "model"
            write_model(network.to(dtype), model, inside)
            write_json(inside / FILE, outcome.as_json())
            inside.rename(to)
    return outcome


def results(record: Record) -> tuple[Tuned, Model]:
    """The run's tuned model and its base.

    Raises:
        RecipeError: The stage is not done, or it was done on another model than the run now holds.
    """
    from sevenfold.load.model import Model
    from sevenfold.tune.tuned import Tuned

    tune, load = record.stages.get("tune"), record.stages.get("load")
    again = f"sevenfold tune {record.name}"
    if tune is None or tune.state != "done":
        raise RecipeError(f"the run {record.name!r} has no tuned model yet", where=str(record.folder), next_step=again)
    if load is None or tune.parents.get("load") != load.identity:
        raise RecipeError(
            f"the run {record.name!r} was tuned on another model than it holds now",
            where=str(record.folder),
            next_step=again,
        )
    return Tuned.open(record.stage_folder("tune")), Model.open(record.stage_folder("load"))


def part(which: list[str]) -> Half | list[str]:
    """What ``--which`` asks for: a half by its name, a share, or patterns."""
    if len(which) > 1:
        return which
    word = which[0]
    try:
        return float(word)
    except ValueError:
        # A parameter's name has a point in it, or a star stands for what has.
        return [word] if set(word) & set(".*?[") else cast(Literal["even", "odd"], word)


def show(outcome: Outcome, console: Console) -> None:
    """What is the base's again, and where the new model lies."""
    found = outcome.found
    console.say(
        f"{len(found.names)} parameters with {found.weights:,} of {found.of:,} weights are the base's again; training "
        f"had changed {found.changed:,} of them"
    )
    if not found.changed:
        console.warn("nothing of this part had changed: the new model is the tuned one")
    console.say(f"{outcome.folder}: plain weights in {outcome.dtype}, tokenizer, and {FILE} with the names")
