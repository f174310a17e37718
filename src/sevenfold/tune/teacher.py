"""The model that another learns from: what it says of the same targets, and the answers it writes itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import DataError, ModelError
from sevenfold.load.model import Model
from sevenfold.prepare.dataset import Dataset, Row, arrow_schema, stored
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.unled import unled

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from sevenfold.record import Entry
    from sevenfold.setup.environment import Environment
    from sevenfold.tune.engine.distance import Teacher as Said
    from sevenfold.tune.engine.passes import Pass

SPLITS = ("train", "validation")
WRITTEN = "written"
BATCH = 8
"""Prompts that are answered together."""


def required(model: Model) -> Model:
    """The teacher.

    Raises:
        ModelError: There is none.
    """
    if model.teacher is None:
        raise ModelError(
            "there is no teacher", where="load.teacher", next_step="load.teacher: a model's name, or a run's folder"
        )
    return model.teacher_model()


def network(model: Model, dtype: torch.dtype) -> PreTrainedModel:
    """The teacher's network; of a run the tuned one, as plain weights.

    Raises:
        ModelError: What the run learnt cannot be written as plain weights, or is gone.
    """
    from sevenfold.tune.tuned import Tuned

    teacher = required(model)
    tuned = model.teacher.tuned if model.teacher else None
    if tuned is None:
        return teacher.network(dtype)
    if not tuned.is_dir():
        raise ModelError("the run that teaches is gone", where=str(tuned), next_step="train it again")
    return Tuned.open(tuned).merged(teacher, dtype)


class Beside(nn.Module):
    """A teacher beside the student: frozen, read from the disk when it is first asked, in the student's precision.

    Args:
        model: The student's model, which names the teacher.

    Raises:
        ModelError: There is no teacher, or its vocabulary is of another family.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        teacher = required(model)
        assert model.teacher is not None
        if model.teacher.refusal:
            raise ModelError(
                f"the probabilities of {teacher.card.name} cannot be compared with those of {model.card.name}: "
                f"{model.teacher.refusal}",
                where="load.teacher",
                expected="a teacher of the same family, or one whose answers are learnt",
                next_step="tune.objective: {distill: {replies: teacher, share: 0}}",
            )
        self.model, self.vocabulary = model, model.card.vocabulary
        self.end = min(model.stop_ids)
        apart = set(model.teacher.apart)
        known = [token for token in range(model.teacher.shared) if token not in apart]
        self.register_buffer("shared_K", torch.tensor(known), persistent=False)
        self.whole = len(known) == model.card.vocabulary == teacher.card.vocabulary
        self.readers: dict[torch.dtype, Forward] = {}

    def shared(self) -> Tensor | None:
        """The ids that both know; None: all."""
        found: Tensor = self.get_buffer("shared_K")
        return None if self.whole else found

    def reader(self, student: Forward) -> Forward:
        """The teacher's own way through its network, at the student's precision and place."""
        if student.precision not in self.readers:
            body = network(self.model, student.precision).requires_grad_(False)
            self.readers[student.precision] = Forward(body.to(student.device), student.precision)  # type: ignore[arg-type]
        return self.readers[student.precision]

    @torch.no_grad()
    def said(self, student: Forward, batch: Pass) -> Said:
        """The teacher's logits of a pass's targets, chunk by chunk.

        A token that it does not know, a special one inside of a row, it reads as an end of turn.
        """
        reader = self.reader(student)
        plain = unled(batch, self.vocabulary)
        if not self.whole:
            known = torch.isin(plain.ids_1T, self.get_buffer("shared_K"))
            plain = replace(plain, ids_1T=torch.where(known, plain.ids_1T, self.end))
        with reader.autocast():
            states_ND = reader.hidden(plain)

        @torch.no_grad()
        def logits(rows: slice) -> Tensor:
            with reader.autocast():
                return reader.head.logits(states_ND[rows])

        return logits


def answers(dataset: Dataset, model: Model, environment: Environment, longest: int, entry: Entry) -> Dataset:
    """The rows with the teacher's answers in the place of their last replies, which alone are learnt.

    What was written is kept line by line, so a stopped run goes on where it was. An answer that did not end within the
    limit is no example of one and is left out, and so is an empty one.

    Args:
        dataset: Rows whose prompts are asked.
        model: The student's model, which names the teacher.
        environment: Device and precision.
        longest: Tokens of an answer, at most.
        entry: The stage's folder and notes.

    Raises:
        DataError: No answer is left.
    """
    folder = entry.folder / WRITTEN
    folder.mkdir(parents=True, exist_ok=True)
    writer = Writer(model, environment, longest)
    made = Dataset(counts=dict.fromkeys(SPLITS, 0)).save(folder)
    for split in SPLITS:
        rows = list(dataset.rows(split))
        with entry.console.task(f"{split}: the teacher's answers (rows)", len(rows)) as bar:
            given = writer.over(rows, folder / f"{split}.jsonl", bar.advance)
        kept = [answered(row, text) for row, text in zip(rows, given, strict=True) if text]
        made.counts[split] = len(kept)
        if lost := len(rows) - len(kept):
            entry.warn(f"{lost} of {len(rows)} {split} rows left out: the teacher's answer is empty or has no end")
        if kept:
            write(made, split, kept)
    if not made.counts["train"]:
        raise DataError(
            f"the teacher ended none of its answers within {longest} tokens",
            where="tune.objective.distill.longest",
            next_step="a larger longest, or a teacher that follows the chat template",
        )
    return made.save(folder)


class Writer:
    """Asks the teacher; its network is built when something is to be asked.

    Args:
        model: The student's model, which names the teacher.
        environment: Device and precision.
        longest: Tokens of an answer, at most.
    """

    def __init__(self, model: Model, environment: Environment, longest: int) -> None:
        self.model, self.environment, self.longest = model, environment, longest
        self.encoder = required(model).encoder()
        self.engine: Any = None

    def over(self, rows: list[Row], path: Path, advance: Any) -> list[str]:
        """The answers to the prompts of some rows, in order; empty where one is empty or has no end."""
        kept = lines(path)
        advance(len(kept))
        with path.open("a", encoding="utf-8") as file:
            for start in range(len(kept), len(rows), BATCH):
                texts = self.ask(rows[start : start + BATCH])
                file.write("".join(json.dumps(text, ensure_ascii=False) + "\n" for text in texts))
                file.flush()
                kept += texts
                advance(len(texts))
        return kept

    def ask(self, rows: list[Row]) -> list[str]:
        """The answers to some prompts, greedily."""
        from sevenfold.generate.engine import Sampling

        prompts = [self.encoder.prompt(row.conversation.prompt()) for row in rows]
        given = self.opened().generate(prompts, Sampling(max_new_tokens=self.longest))
        return [one.text.strip() if one.finish_reason == "stop" else "" for one in given]

    def opened(self) -> Any:
        """The engine before the teacher's network."""
        from sevenfold.generate.engines.transformers import TransformersEngine

        if self.engine is None:
            body = network(self.model, self.environment.dtype)
            body.to(self.environment.device)  # type: ignore[arg-type]
            self.engine = TransformersEngine(body, self.encoder, BATCH, None)
        return self.engine


def lines(path: Path) -> list[str]:
    """The answers that are written already; a process killed in a write leaves half a line, which is cut off."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    return [json.loads(line) for line in whole.splitlines()]


def answered(row: Row, text: str) -> Row:
    """A row whose last reply is another, and is alone learnt."""
    before = [replace(message, weight=0.0) for message in row.conversation.prompt()]
    return replace(row, conversation=Conversation((*before, Message("assistant", text))))


def write(dataset: Dataset, split: str, rows: list[Row]) -> None:
    """A split's file."""
    import pyarrow as pa

    schema = arrow_schema()
    with pa.OSFile(str(dataset.path(split)), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_table(pa.Table.from_pylist([stored(row) for row in rows], schema=schema))
