"""A second model that the first learns from: a name as the first has one, or a run whose tuned model it is."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from sevenfold.chat.encoder import Encoder
from sevenfold.errors import ModelError
from sevenfold.load import places
from sevenfold.load.model import Model, Teacher
from sevenfold.load.tokenizer import PROBE, read, special_ids
from sevenfold.record import RESULT_FILE, digest, file_digest

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

FOLDER, TEMPLATE = "teacher", "template.jinja"
OF_MODEL, OF_TUNED = "2-load", "4-tune"
"""The folders of a run that hold its base model and what it learnt."""


def is_run(name: str) -> bool:
    """Whether a name is the folder of a run."""
    return (Path(name).expanduser() / "record.json").is_file()


def fingerprint(name: str) -> str:
    """A hash of what a name stands for: a model's files, or a run's tuned weights and their base."""
    if not is_run(name):
        return places.fingerprint(name)
    run = Path(name).expanduser()
    files = [run / OF_MODEL / RESULT_FILE, run / OF_TUNED / RESULT_FILE]
    files += sorted((run / OF_TUNED / "weights").glob("*.safetensors"))
    return digest({str(file.relative_to(run)): file_digest(file) for file in files if file.is_file()})


def base_of(name: str) -> tuple[Model, Path]:
    """The base model of a run, and the folder of what it learnt.

    Raises:
        ModelError: The run is not trained yet.
    """
    run = Path(name).expanduser().resolve()
    for stage in (OF_MODEL, OF_TUNED):
        if not (run / stage / RESULT_FILE).is_file():
            raise ModelError(
                f"the run {run.name!r} has no stage {stage[2:]!r} yet",
                where="load.teacher",
                next_step=f"sevenfold tune {run / 'recipe.yaml'}",
            )
    return Model.open(run / OF_MODEL), run / OF_TUNED


def copied(model: Model, folder: Path) -> Model:
    """A model's facts and tokenizer in another folder."""
    shutil.copytree(model.tokenizer_folder, folder / model.tokenizer_folder.name, dirs_exist_ok=True)
    return model.model_copy(update={"teacher": None}).save(folder)


def template_for(name: str, student: PreTrainedTokenizerBase, folder: Path) -> str:
    """The teacher's own chat template; the student's, in a file, where it has none.

    Args:
        name: The teacher's name.
        student: Its tokenizer has a template.
        folder: Where the file goes.
    """
    if read(places.find(name).folder).chat_template:
        return "own"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TEMPLATE).write_text(str(student.chat_template), encoding="utf-8")
    return str(folder / TEMPLATE)


def related(student: Model, teacher: Model, tuned: Path | None) -> Teacher:
    """Which token ids mean the same to both.

    Models of one family share the tokens of text; one may have more special tokens, or more rows to pad its
    vocabulary, and these are left out of a comparison of probabilities.
    """
    ours, theirs = student.encoder().tokenizer, teacher.encoder().tokenizer
    mine, other = by_id(ours), by_id(theirs)
    size = min(student.card.vocabulary, teacher.card.vocabulary)
    apart = [token for token in range(size) if token not in mine or mine[token] != other.get(token)]
    differing = sorted((text_ids(ours) | text_ids(theirs)) & {*apart, *range(size, max(map(len, (mine, other))))})
    refusal = ""
    if differing:
        first = differing[0]
        refusal = (
            f"{len(differing):,} ids of text mean other tokens to both, the first is {first}: "
            f"{mine.get(first)!r} and {other.get(first)!r}"
        )
    elif strange := sorted(written(student) & {*apart, *range(size, student.card.vocabulary)}):
        names = ", ".join(f"{mine.get(token)!r} (id {token})" for token in strange)
        refusal = f"conversations hold tokens that the teacher does not know: {names}"
    return Teacher(tuned=tuned, shared=size, apart=[] if refusal else apart, refusal=refusal)


def by_id(tokenizer: PreTrainedTokenizerBase) -> dict[int, str]:
    """The tokens of a vocabulary by their ids."""
    return {token: text for text, token in tokenizer.get_vocab().items()}


def text_ids(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """The ids of plain text."""
    return set(tokenizer.get_vocab().values()) - special_ids(tokenizer)


def written(student: Model) -> set[int]:
    """The ids that stand in every conversation of the student: what its template writes, and what ends a reply."""
    encoder: Encoder = student.encoder()
    return {*encoder.encode(encoder.render(PROBE, reply_follows=False)), *student.stop_ids}
