"""Rows whose label is most likely wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sevenfold.errors import MachineError
from sevenfold.findings import Chart, Findings, Table
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.labels.classifier import indexed, out_of_sample
from sevenfold.vectors import Vectors

SHOWN = 50
TEXT = 160


@dataclass(frozen=True)
class Suspect:
    """A row that seems to have a wrong label.

    Args:
        number: Which row, from 0.
        given: Its label.
        suggested: The most likely one.
        score: The probability of the given label (self-confidence); the lower, the more suspect.
        scores: Each label's probability.
    """

    number: int
    given: str
    suggested: str
    score: float
    scores: dict[str, float]


def text_of(row: Row) -> str:
    """What a row's label is about: its prompt's last message, or all where there is none."""
    messages = row.conversation.messages
    return next((message.content for message in reversed(messages) if message.role == "user"), messages[0].content)


def suspects(texts: Sequence[str], labels: Sequence[str], vectors: Vectors, seed: int, where: str) -> list[Suspect]:
    """Rows with a wrong label by confident learning (Northcutt, Jiang & Chuang 2021), the most suspect first.

    A row is suspect when its probability of another label reaches the mean that rows of that label have, and it is
    most likely of that label; the probabilities are of rows that the classifier did not see. Rows with vectors and
    probabilities take ``4 D + 16 K`` bytes each.

    Raises:
        DataError: Too few rows of a label.
        MachineError: A package is not installed.
    """
    names, numbers = indexed(labels, where)
    try:
        from cleanlab.filter import find_label_issues
    except ImportError:
        raise MachineError(
            "wrong labels are found with the package cleanlab", next_step="pip install 'sevenfold[prepare]'"
        ) from None
    probabilities = out_of_sample(vectors.of(texts), numbers, seed)
    found = find_label_issues(
        numbers, probabilities, filter_by="confident_learning", return_indices_ranked_by="self_confidence", n_jobs=1
    )
    return [
        Suspect(
            number=int(row),
            given=labels[row],
            suggested=names[int(probabilities[row].argmax())],
            score=round(float(probabilities[row, numbers[row]]), 4),
            scores={name: round(float(share), 4) for name, share in zip(names, probabilities[row], strict=True)},
        )
        for row in found
        if names[int(probabilities[row].argmax())] != labels[row]
    ]


def findings(found: list[Suspect], rows: Sequence[Row], done: str) -> Findings:
    """What a person should know of the suspects.

    Args:
        found: The suspects.
        rows: All rows that were looked at.
        done: What became of them, the end of the sentence.
    """
    share = len(found) / max(len(rows), 1)
    pairs = Counter((one.given, one.suggested) for one in found)
    lines = [
        (one.given, one.suggested, one.score, rows[one.number].origin, text_of(rows[one.number])[:TEXT])
        for one in found[:SHOWN]
    ]
    kinds = [(given, better, count) for (given, better), count in pairs.most_common(SHOWN)]
    given = Counter(one.given for one in found)
    return Findings(
        "Labels that seem wrong",
        f"{len(found):,} of {len(rows):,} labels seem wrong ({share:.1%}){done}.",
        {"rows": len(rows), "suspected": len(found), "suspected_share": round(share, 4)},
        [
            Table("Most suspect first", ("given", "more likely", "probability of the given", "row", "text"), lines),
            Table("Which labels are taken for which", ("given", "more likely", "rows"), kinds),
        ],
        [Chart("bars", "suspected rows", list(given), list(given.values()), "Labels with many suspects are unclear.")]
        if given
        else [],
        ["Read the suspects before you drop them: a rare kind of row looks like a wrong label."] if found else [],
    )
