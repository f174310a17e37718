"""RAFT: questions answered from documents of which most do not help (Zhang et al. 2024, arXiv 2403.10131)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import DataError
from sevenfold.findings import Findings
from sevenfold.folding import folded
from sevenfold.prepare.training import Change
from sevenfold.prepare.training._quotes import answered, unfounded
from sevenfold.schema import Chosen
from sevenfold.vectors import VECTORS, Vectors

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.dataset import Row
    from sevenfold.prepare.shelf import Shelf
    from sevenfold.prepare.work import Work

REPLACED = "raft"
"""The reason under which rows are counted that became a row with documents."""
NEAREST = 50
"""Documents that are looked at for each distractor, since some hold the answer too."""


@dataclass
class Library:
    """The different documents of the training rows; in memory, with their vectors where the nearest are drawn.

    Args:
        texts: The documents.
        owners: The number of a row that has the document.
        place: Folded document to its place in ``texts``.
        points: A vector each, ``N x D`` of 4 bytes; none where distractors are drawn at random.
    """

    texts: list[str] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    place: dict[str, int] = field(default_factory=dict)
    points: NDArray[numpy.float32] | None = None

    def add(self, text: str, owner: int) -> None:
        """Take in a document, once."""
        if self.place.setdefault(folded(text), len(self.texts)) == len(self.texts):
            self.texts.append(text)
            self.owners.append(owner)


@dataclass
class Counts:
    """What became of the rows."""

    rows: int = 0
    without: int = 0
    hidden: int = 0
    quoted: int = 0
    unfounded: int = 0
    fewer: int = 0


class Raft(Change):
    """Each question with the document that answers it among others that do not, and in a share of the rows without it.

    The model learns to answer from what helps and to pass over the rest. A row has its document in a column and its
    question in the last turn of the user: `format: {template: {prompt: "{question}", completion: "{answer}"}}` with
    `keep: [context]`. A distractor never is a document in which the row's reply stands. The row that is made names the
    rows whose documents it holds as its parents, and takes the place of its own. Rows without a document stay.
    """

    main = "document"
    document: str = Field("context", description="The column with the document that answers the question.")
    distractors: int = Field(4, ge=1, le=50, description="Other documents beside it.")
    with_document: float = Field(
        0.8,
        ge=0,
        le=1,
        description="The share of rows that hold the document that answers; the others only distractors.",
    )
    draw: Literal["nearest", "random"] = Field(
        "nearest", description="Distractors: nearest to the question, as a retriever finds them; or any."
    )
    vectors: Annotated[Vectors, Chosen(VECTORS)] = Field(
        default_factory=lambda: VECTORS.find("ngrams")(), description="What nearness is measured with."
    )
    reason: str | None = Field(
        None,
        description="A column with the reasoning that leads to the answer, its quotes between ##begin_quote## and "
        "##end_quote##; not given: the sentence in which the answer stands is quoted, where there is one.",
    )
    shown: str = Field(
        "<DOCUMENT>{text}</DOCUMENT>",
        description="A document in the prompt; {number} counts from 1, {text} is its text.",
    )
    prompt: str = Field("{documents}\n{question}", description="The prompt: {documents} and {question}.")

    def rows(self, shelf: Shelf, work: Work) -> Generator[Row, None, Findings]:
        """The rows with their documents.

        Raises:
            DataError: No row has a document, or all have the same one.
            MachineError: What the vectors are made with is not installed.
        """
        library = self.library(shelf)
        counts = Counts()
        with work.console.task("documents for questions (rows)", len(shelf)) as task:
            for row in shelf:
                task.advance(1)
                if not row.fields.get(self.document, "").strip():
                    counts.without += 1
                    yield row
                    continue
                yield self.one(row, library, shelf, work, counts)
                work.drop(row, REPLACED)
        return self.told(counts, library)

    def library(self, shelf: Shelf) -> Library:
        """The documents of all rows.

        Raises:
            DataError: There are fewer than two.
        """
        library = Library()
        for number, row in enumerate(shelf):
            text = row.fields.get(self.document, "").strip()
            if text:
                library.add(text, number)
        if len(library.texts) < 2:
            raise DataError(
                f"raft needs different documents in the column {self.document!r}, and there are {len(library.texts)}",
                where="prepare.training",
                alternatives=sorted(shelf.row(0).fields) if len(shelf) else (),
                value=self.document,
                next_step="name the column with document: COLUMN, and keep it: prepare.keep",
            )
        if self.draw == "nearest":
            library.points = self.vectors.of(library.texts)
        return library

    def one(self, row: Row, library: Library, shelf: Shelf, work: Work, counts: Counts) -> Row:
        """The row that takes a row's place."""
        dice = work.random(row.origin)
        question, reply = asked(row)
        golden = library.place[folded(row.fields[self.document].strip())]
        others = self.others(question.content, reply.content, golden, library, dice)
        there = dice.random() < self.with_document
        documents = [*others, *([golden] if there else [])]
        dice.shuffle(documents)
        shown = "\n".join(
            self.shown.replace("{number}", str(place)).replace("{text}", library.texts[document])
            for place, document in enumerate(documents, start=1)
        )
        text = self.prompt.replace("{question}", question.content).replace("{documents}", shown)
        reason = row.fields.get(self.reason, "") if self.reason else ""
        answer = answered(reply.content, library.texts[golden], reason, quote=there)
        counts.rows += 1
        counts.hidden += not there
        counts.quoted += answer != reply.content
        counts.unfounded += unfounded(reason, library.texts[golden])
        counts.fewer += len(others) < self.distractors
        parents = [row, *(shelf.row(library.owners[document]) for document in others)]
        fields = {name: value for name, value in row.fields.items() if name not in (self.document, self.reason)}
        return work.make(changed(row, text, answer), parents, fields)

    def others(self, question: str, reply: str, golden: int, library: Library, dice: Random) -> list[int]:
        """The distractors of a row: other documents, in which its reply does not stand."""
        line = self.line(question, library, dice)
        answer, found = folded(reply), []
        for document in line:
            if document != golden and answer not in folded(library.texts[document]):
                found.append(document)
            if len(found) == self.distractors:
                break
        return found

    def line(self, question: str, library: Library, dice: Random) -> list[int]:
        """The documents in the order in which they are taken: the nearest first, or by lot."""
        import numpy

        count = len(library.texts)
        least = min(count, NEAREST * self.distractors)
        if library.points is None:
            return dice.sample(range(count), least)
        near = library.points @ self.vectors.of([question])[0]
        first = numpy.argpartition(-near, least - 1)[:least]
        return [int(place) for place in first[numpy.lexsort((first, -near[first]))]]

    def told(self, counts: Counts, library: Library) -> Findings:
        """What was done."""
        said = (
            f"{counts.rows:,} questions have their document among {self.distractors} others, "
            f"{counts.hidden:,} of them only others; {counts.quoted:,} answers quote what they rest on"
        )
        advice = []
        if counts.without:
            advice.append(f"{counts.without:,} rows have nothing in {self.document!r} and stayed as they were.")
        if counts.unfounded:
            advice.append(f"{counts.unfounded:,} reasons quote what does not stand in their document: look at them.")
        if counts.fewer:
            advice.append(f"{counts.fewer:,} questions have fewer other documents than asked: there are too few.")
        figures = {
            "rows": counts.rows,
            "rows_without_their_document": counts.hidden,
            "rows_without_any_document": counts.without,
            "answers_with_quote": counts.quoted,
            "reasons_with_quotes_not_found": counts.unfounded,
            "rows_with_fewer_distractors": counts.fewer,
            "documents": len(library.texts),
        }
        return Findings("Questions with documents (RAFT)", said, figures, advice=advice)


def asked(row: Row) -> tuple[Message, Message]:
    """The last question and its reply.

    Raises:
        DataError: A row does not end in a question and its reply.
    """
    messages = row.conversation.messages
    if len(messages) < 2 or messages[-1].role != "assistant" or messages[-2].role != "user":
        raise DataError(
            "the row does not end in a question and its reply", where=row.origin, expected="a user's turn, then a reply"
        )
    return messages[-2], messages[-1]


def changed(row: Row, prompt: str, answer: str) -> Conversation:
    """The conversation with another last question and reply."""
    question, reply = asked(row)
    ends = (replace(question, content=prompt), replace(reply, content=answer))
    return Conversation((*row.conversation.messages[:-2], *ends))
