"""General rows: what the model should still know, read from a file of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold import cache
from sevenfold.chat.conversation import ROLES, Conversation, Message
from sevenfold.errors import DataError, ModelError
from sevenfold.prepare.dataset import Dataset, Row
from sevenfold.record import RESULT_FILE, code_digest, digest, file_digest
from sevenfold.tune.beside import Start, Term
from sevenfold.tune.objectives import Objective

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.tune.encoded import Encoded
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass

KIND, NAME = "tokens", "rows"
MANUAL = "manual"
EXPECTED = '{"text": "..."} or {"messages": [{"role": "user", "content": "..."}, ...]} on every line'
PLAIN = {"form": "text"}
"""Fields of a row that is text and no conversation."""


class General(Term):
    """A term that reads general rows.

    They stand in a file, text or conversations: ``.jsonl`` with a ``text`` or ``messages`` on every line, or ``.txt``
    with passages between blank lines; or in the folder of a finished ``1-prepare``, which reads everything else. Text
    is learnt as it stands, without the chat template, in pieces of ``tune.max_length`` that count as rows. ``manual``
    is the reference manual of the Python language, English prose that comes with the interpreter: better than nothing.
    """

    main = "rows"
    rows: str = Field(description="A file of general rows (.jsonl, .txt), a finished 1-prepare, or manual.")

    def outside(self) -> dict[str, str]:
        """The fingerprint of the rows.

        Raises:
            DataError: There is no such file.
        """
        return {self.rows: cache.remembered_digest(source(self.rows))}

    def encoded(self, at: Start) -> Encoded:
        """The rows as tokens, from the cache; what is too long is counted.

        Raises:
            DataError: A row cannot be read, or there is none.
            ModelError: The network writes no text.
        """
        if at.forward.both_directions:
            raise ModelError(
                f"{type(at.forward.network).__name__} reads in both directions, so that no word is left to foretell",
                where="tune.beside",
                next_step="tune.beside: [l2_start], or another model",
            )
        from sevenfold.tune.encoded import Encoded, Lengths, encode

        limit = at.section.max_length - len(at.encoder.lead)
        section = at.section.model_copy(update={"objective": Likelihood(limit=limit), "beside": []})
        tokenizer = {path.name: file_digest(path) for path in at.model.tokenizer_folder.iterdir()}
        routing = section.method.routing()
        key = digest(
            {
                "rows": self.outside(),
                "limit": [section.max_length, section.overlong],
                "tokenizer": [tokenizer, sorted(at.model.stop_ids), at.encoder.lead],
                "routing": routing and vars(routing),
                "code": code_digest("chat", "tune"),
                "versions": {name: version(name) for name in ("tokenizers", "transformers", "jinja2")},
            }
        )

        def make(folder: Path) -> None:
            encode(read(self.rows), section, at.encoder, folder, NAME)

        folder = cache.kept(KIND, key, make)
        lengths = Lengths.read(folder, NAME)
        if not lengths.rows:
            raise DataError("no general row can be learnt from", where=self.rows, expected=EXPECTED)
        if lengths.overlong:
            done = "left out" if section.overlong == "drop" else "cut"
            at.entry.warn(f"{lengths.overlong} general rows of {self.rows} are over tune.max_length and {done}")
        return Encoded(folder, NAME)


class Likelihood(Objective):
    """The likelihood of replies, and of text as it stands.

    Args:
        limit: Tokens of a piece of text.
    """

    limit: int

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """As ``sft``; text in pieces, every token but the first of each a target."""
        from sevenfold.chat.encoder import TokenSequence

        if row.fields != PLAIN:
            return encoder.sequences(row.conversation)
        ids = list(encoder.tokenizer(row.conversation.reference())["input_ids"])
        pieces = [ids[start : start + self.limit] for start in range(0, len(ids), self.limit)]
        return [TokenSequence(piece, [0.0, *[1.0] * (len(piece) - 1)]).led(encoder.lead) for piece in pieces]

    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """``-sum_i w_i log p_i``."""
        return -(batch.weights_N * outputs).sum()


def source(path: str) -> Path:
    """The file that holds the rows.

    Raises:
        DataError: There is none.
    """
    if path == MANUAL:
        from pydoc_data import topics

        return Path(topics.__file__)
    place = Path(path)
    if place.is_dir() and (place / RESULT_FILE).is_file():
        return Dataset.open(place).path("train")
    if not place.is_file():
        raise DataError(
            f"there are no general rows at {path!r}",
            expected="a .jsonl or .txt file, the folder of a finished 1-prepare, or manual",
            next_step="check the path; it counts from the folder that the command is given in",
        )
    return place


def read(path: str) -> Iterator[Row]:
    """The rows.

    Raises:
        DataError: A line is no row.
    """
    place = source(path)
    if path == MANUAL:
        from pydoc_data.topics import topics

        yield from texts((f"manual:{name}", text) for name, text in sorted(topics.items()))
    elif place != Path(path):
        yield from Dataset.open(Path(path)).rows("train")
    elif place.suffix == ".txt":
        passages = place.read_text(encoding="utf-8").replace("\r\n", "\n").split("\n\n")
        yield from texts((f"{path}:passage {number}", part.strip()) for number, part in enumerate(passages, 1))
    else:
        with place.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield row(line, f"{path}:{number}")


def texts(found: Iterable[tuple[str, str]]) -> Iterator[Row]:
    """Rows of text with their origins."""
    for origin, text in found:
        if text:
            yield Row(Conversation((Message("assistant", text),)), origin, PLAIN)


def row(line: str, origin: str) -> Row:
    """A line of JSON as a row.

    Raises:
        DataError: It is none.
    """
    try:
        values: Any = json.loads(line)
    except ValueError as error:
        raise DataError(f"the line is no JSON: {error}", where=origin, expected=EXPECTED) from None
    if isinstance(values, dict) and isinstance(values.get("text"), str) and values["text"]:
        return next(texts([(origin, values["text"])]))
    messages = values.get("messages") if isinstance(values, dict) else None
    if not isinstance(messages, list) or not all(is_message(one) for one in messages) or not messages:
        raise DataError(
            f"the line is neither text nor messages: {line.strip()[:80]}",
            where=origin,
            expected=EXPECTED,
            next_step="or prepare the rows, which reads more forms, and name the folder 1-prepare of that run",
        )
    return Row(Conversation.of(messages), origin)


def is_message(value: object) -> bool:
    """Whether a value is a turn."""
    return isinstance(value, dict) and value.get("role") in ROLES and isinstance(value.get("content"), str)


def likelihood(forward: Forward, batch: Pass) -> Tensor:
    """The negative log-likelihood of a pass's targets, summed by their weights, nats."""
    moved = batch.to(str(forward.device))
    return -(moved.weights_N * forward(moved)).sum()
