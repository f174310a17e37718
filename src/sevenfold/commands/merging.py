"""The command ``merge-adapters``: several adapters to one, with a look at what it inherits."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from sevenfold.console import Console
from sevenfold.errors import DataError, RecipeError
from sevenfold.record import Entry, Record, write_json

if TYPE_CHECKING:
    import torch

    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Row
    from sevenfold.tune.several.combinations import Combination
    from sevenfold.tune.several.files import LoraFile
    from sevenfold.tune.several.inheritance import Asked
    from sevenfold.tune.several.merge import Merged

BEHAVIOUR_FILE = "behaviour.json"
HELD_OUT = ("test", "validation", "train")


@dataclass(frozen=True)
class Wish:
    """What the command line says.

    Args:
        parents: Runs or folders with adapters.
        out: The new folder.
        how: The combination as a recipe would write it; empty: ``svd``, or ``average`` with ``texts``.
        weights: One number a parent, with commas; empty: all the same.
        ask: Prompts of each parent that are asked behind the merge; 0: none.
        prompts: A file with a prompt a line, instead of the runs' own rows.
        texts: A file with a text of the new domain a line: only the adapters that are near it are merged.
        most: How many adapters are chosen at most, with ``texts``.
        base: The base model's name, where no run says it.
        seed: Of what is drawn at random.
        runs: The folder that holds all runs.
    """

    parents: tuple[str, ...]
    out: Path
    how: str = ""
    weights: str = ""
    ask: int = 8
    prompts: Path | None = None
    texts: Path | None = None
    most: int = 5
    base: str | None = None
    seed: int = 17
    runs: Path = Path("runs")


@dataclass(frozen=True)
class Parent:
    """An adapter on the command line.

    Args:
        name: What it is called in messages.
        file: Its files.
        run: The run that it lies in, if it does.
    """

    name: str
    file: LoraFile
    run: Path | None

    def rows(self, splits: Sequence[str], count: int) -> list[Row]:
        """Rows of its own task in the run that trained it, of the first of some splits that has any."""
        from sevenfold.prepare.dataset import Dataset
        from sevenfold.tune.several import provenance
        from sevenfold.tune.tuned import Tuned

        if self.run is None:
            return []
        record = Record.open(self.run)
        dataset = Dataset.open(record.stage_folder("prepare"))
        routing = Tuned.open(record.stage_folder("tune")).chosen_method().routing()
        task = provenance.read(self.file.folder).get("task")
        split = next((split for split in splits if dataset.counts.get(split)), None)
        found: list[Row] = []
        for row in dataset.rows(split) if split else ():
            if len(found) < count and (routing is None or task in (None, routing.tasks[routing.task(row)])):
                found.append(row)
        return found


@dataclass(frozen=True)
class Outcome:
    """What the command did.

    Args:
        merged: The merge.
        similarity: How near each adapter is to the domain, where one was given.
        asked: What everyone answered.
        warnings: Everything that asks for attention.
    """

    merged: Merged
    similarity: dict[str, float]
    asked: list[Asked]
    warnings: list[str]

    def as_json(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return {
            "folder": str(self.merged.folder),
            "layers": self.merged.layers,
            "rank": self.merged.rank,
            "energy": self.merged.energy,
            "worst_layer": self.merged.worst_layer,
            "similarity": self.similarity,
            "behaviour": [asked.as_json() for asked in self.asked],
            "warnings": self.warnings,
        }


def run(wish: Wish, console: Console) -> Outcome:
    """Choose, merge and look.

    Raises:
        RecipeError: The command line does not fit together.
        ModelError: An adapter cannot be read, or they are of different bases.
        DataError: A file has no texts.
    """
    from sevenfold.tune.several.merge import merge

    parents = named([parent_of(name, wish.runs) for name in wish.parents])
    if wish.out.exists() and any(wish.out.iterdir()):
        raise RecipeError(f"the folder {str(wish.out)!r} is not empty", next_step="--out: another folder")
    similarity: dict[str, float] = {}
    if wish.texts:
        similarity = near(wish, parents)
        parents = chosen(wish, parents, similarity)
    how, weights = combination(wish), weights_of(wish, len(parents))
    merged = merge([parent.file for parent in parents], weights, how, wish.seed, wish.out)
    warnings = list(merged.warnings)
    asked = inherited(wish, parents, console, warnings) if wish.ask else []
    return Outcome(merged, similarity, asked, warnings)


def parent_of(name: str, runs: Path) -> Parent:
    """The adapter behind a run's name, a run's folder, or a folder in PEFT's format."""
    from sevenfold.tune.several.files import LoraFile

    run = next((folder for folder in (runs / name, Path(name)) if (folder / "record.json").is_file()), None)
    folder = Record.open(run).stage_folder("tune") / "weights" if run else Path(name)
    inside = folder.resolve()
    owner = next((place for place in inside.parents if (place / "record.json").is_file()), None)
    label = Path(name).name if run or owner is None else f"{owner.name}/{inside.name}"
    return Parent(label, LoraFile(folder), owner)


def named(parents: list[Parent]) -> list[Parent]:
    """Parents under names that differ."""
    labels = [parent.name for parent in parents]
    return [
        replace(parent, name=str(parent.file.folder)) if labels.count(parent.name) > 1 else parent for parent in parents
    ]


def combination(wish: Wish) -> Combination:
    """The combination that ``--how`` names, with its fields."""
    from sevenfold.schema import Chosen
    from sevenfold.tune.several.combinations import COMBINATIONS

    written = yaml.safe_load(wish.how) if wish.how else ("average" if wish.texts else "svd")
    found: Combination = Chosen(COMBINATIONS).choose(written)  # type: ignore[assignment]
    return found


def weights_of(wish: Wish, count: int) -> list[float]:
    """One weight a parent.

    Raises:
        RecipeError: They are no numbers.
    """
    if not wish.weights:
        return [1.0 / count] * count if wish.texts else [1.0] * count
    try:
        return [float(weight) for weight in wish.weights.split(",")]
    except ValueError:
        raise RecipeError(
            f"--weights {wish.weights!r} are no numbers", expected="numbers with commas between, 0.7,0.3"
        ) from None


def chosen(wish: Wish, parents: list[Parent], similarity: dict[str, float]) -> list[Parent]:
    """The parents that are nearest the domain."""
    from sevenfold.tune.several import soup

    names = soup.chosen(similarity, wish.most)
    return [parent for parent in parents if parent.name in names]


def near(wish: Wish, parents: list[Parent]) -> dict[str, float]:
    """How near each parent's training texts are to the texts of ``--for``."""
    from sevenfold.tune.several import soup

    assert wish.texts is not None
    owned = {parent.name: [text_of(row) for row in parent.rows(("train",), soup.TEXTS)] for parent in parents}
    without = [name for name, texts in owned.items() if not texts]
    if without:
        raise RecipeError(
            f"what {', '.join(without)} was trained on is not known",
            expected="adapters inside of runs, whose rows say it",
            next_step="name the runs instead of the folders, or leave out --for",
        )
    with Bench(wish, parents) as bench:
        return soup.similarities(bench.network(), bench.model.encoder(), lines(wish.texts), owned)


def text_of(row: Row) -> str:
    """Everything that is said in a row."""
    return "\n".join(message.content for message in row.conversation.messages)


def lines(path: Path) -> list[str]:
    """The lines of a file that say something.

    Raises:
        DataError: There is no such file, or it is empty.
    """
    found = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()] if path.is_file() else []
    if not found:
        raise DataError(f"there are no texts in {str(path)!r}", where=str(path), expected="one text a line")
    return found


class Bench:
    """The base model on its device, for as long as it is asked."""

    def __init__(self, wish: Wish, parents: Sequence[Parent]) -> None:
        self.place = tempfile.TemporaryDirectory()
        self.run = next((parent.run for parent in parents if parent.run), None)
        self.model = self.find(wish.base or parents[0].file.base)

    def find(self, name: str) -> Model:
        """The run's model, or one by its name."""
        from sevenfold.load.model import Model
        from sevenfold.load.section import LoadSection
        from sevenfold.load.stage import load

        if self.run:
            return Model.open(Record.open(self.run).stage_folder("load"))
        return load(LoadSection(model=name), Entry(Path(self.place.name)))

    def network(self) -> Any:
        """The network as the run's environment says, or in float32."""
        from sevenfold.setup.environment import Environment

        if not self.run:
            import torch

            return self.built(torch.float32, "cpu")
        environment = Environment.open(Record.open(self.run).stage_folder("setup"))
        environment.start()
        return self.built(environment.dtype, environment.device)

    def built(self, dtype: torch.dtype, device: str) -> Any:
        """The network at a type on a device."""
        network: Any = self.model.network(dtype)
        return network.to(device)

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.place.cleanup()


def inherited(wish: Wish, parents: list[Parent], console: Console, warnings: list[str]) -> list[Asked]:
    """Ask everyone the parents' prompts; adds to the warnings, and keeps all answers beside the merged adapter."""
    from sevenfold.tune.several import inheritance

    if not wish.prompts and not any(parent.run for parent in parents):
        warnings.append("behaviour was not compared: no adapter lies in a run; name --base and --prompts")
        return []
    with Bench(wish, parents) as bench:
        prompts = prompts_of(wish, parents, bench.model)
        console.say(f"  {sum(map(len, prompts.values()))} prompts are answered by {len(parents) + 1} adapters")
        folders = {parent.name: parent.file.folder for parent in parents}
        found = inheritance.check(bench.network(), bench.model.encoder(), folders, wish.out, prompts)
    warnings.extend(inheritance.warnings(found))
    write_json(wish.out / BEHAVIOUR_FILE, [asked.as_json() for asked in found])
    return found


def prompts_of(wish: Wish, parents: list[Parent], model: Model) -> dict[str, list[list[int]]]:
    """Each parent's prompts as ids; with a file, the same ones for all."""
    from sevenfold.chat.conversation import Message

    encoder = model.encoder()
    if wish.prompts:
        given = [encoder.prompt((Message("user", line),)) for line in lines(wish.prompts)[: wish.ask]]
        return {parent.name: given for parent in parents}
    rows = {parent.name: parent.rows(HELD_OUT, wish.ask) for parent in parents}
    return {name: [encoder.prompt(row.conversation.prompt()) for row in found] for name, found in rows.items() if found}


def show(outcome: Outcome, console: Console) -> None:
    """The merge, the figures of behaviour, and the warnings."""
    merged = outcome.merged
    for name, value in outcome.similarity.items():
        console.say(f"{name}: similarity to the texts {value:+.2f}")
    console.say(f"{merged.layers} layers, rank {merged.rank}, in {merged.folder}")
    if merged.energy is not None and merged.worst_layer is not None:
        name, share = merged.worst_layer
        console.say(f"{merged.energy:.1%} of the change's energy is kept; least in {name}: {share:.1%}")
    for asked in outcome.asked:
        rows = [
            [finding.trait, f"{finding.own:.3g}", f"{finding.merged:.3g}", "differs" if finding.differs else ""]
            for finding in asked.findings
            if finding.own or finding.merged
        ]
        console.table(f"on {len(asked.prompts)} prompts of {asked.owner}", ["", asked.owner, "merged", ""], rows)
    for warning in outcome.warnings:
        console.warn(warning)
    console.say(f"in a recipe: tune.method: {{given: {{folder: {merged.folder}}}}}")
