"""What was made and did not enter: counted by its reason, and kept for a person to read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from sevenfold.chat.conversation import Conversation
from sevenfold.findings import Table
from sevenfold.prepare.clean.pii import Pii
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.work import Work


class Refusals:
    """A file of refused drafts, one a line; personal data in it is masked.

    Args:
        file: Where the lines go.
    """

    def __init__(self, file: IO[str]) -> None:
        self.file, self.hide = file, Pii().hide
        self.reasons: Counter[str] = Counter()

    def add(self, reason: str, said: Conversation | str, parents: Sequence[Row], detail: str = "") -> None:
        """Count and keep one draft.

        Args:
            reason: One word of the report.
            said: What it says, or an answer that could not be read.
            parents: What it was made of.
            detail: A measured value, or what was met.
        """
        self.reasons[reason] += 1
        line: dict[str, object] = {"reason": reason, "parents": [parent.origin for parent in parents]}
        if detail:
            line["detail"] = detail
        if isinstance(said, str):
            line["answer"] = self.hide(said)
        else:
            line["messages"] = [{"role": turn.role, "content": self.hide(turn.content)} for turn in said.messages]
        self.file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def table(self) -> Table:
        """The reasons, the commonest first."""
        return Table("Refused", ("reason", "drafts"), self.reasons.most_common())


@contextmanager
def refusals(work: Work) -> Iterator[Refusals]:
    """The file of a change's refused drafts, ``refused-NAME.jsonl`` in the stage's folder, begun anew."""
    path = work.folder / f"refused-{work.name}.jsonl"
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        yield Refusals(file)
