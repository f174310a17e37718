"""Log-probabilities of many texts: side by side without padding, common beginnings read once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sevenfold.generate.memory import Reading, logits_of, on
from sevenfold.generate.paths import Sheet, Sheets, place

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sevenfold.chat.encoder import TokenSequence
    from sevenfold.generate.memory import Pair

READ = 1024
"""Tokens that are read at once; a longer text is read by itself."""
CHUNK = 1 << 22
"""Logits that exist in float32 at once."""


class Scored(NamedTuple):
    """A sequence's supervised tokens.

    Args:
        number: The sequence's.
        log_probs: The log-probability of each token, nats.
        greedy: Whether each is the likeliest in its place.
    """

    number: int
    log_probs: list[float]
    greedy: bool


def scored(network: Any, sequences: Sequence[TokenSequence]) -> Iterator[Scored]:
    """Each sequence's supervised tokens, as they come.

    Equals ``log_softmax(network(ids).logits)`` of each sequence alone, of which the supervised tokens' are taken.

    Args:
        network: Inside of :func:`~sevenfold.generate.memory.remembering`, in evaluation mode.
        sequences: Each with a supervised token behind its first.
    """
    targets = [targets_of(sequence) for sequence in sequences]
    # What stands behind the last source predicts nothing.
    texts = [sequence.ids[: found[-1]] for sequence, found in zip(sequences, targets, strict=True)]
    sheets = Sheets(texts, [found[0] - 1 for found in targets], READ)
    held: dict[nn.Module, Pair] = {}
    while sheets.left:
        sheet = sheets.take()
        reading = Reading(sheet, held, keeps=bool(sheet.carry))
        found = of_sheet(network, reading, sheet, sequences, targets)
        held = reading.carried()
        for text in sheet.texts:
            own, found = found[: len(targets[text])], found[len(targets[text]) :]
            yield Scored(text, [one for one, _ in own], all(likeliest for _, likeliest in own))


def targets_of(sequence: TokenSequence) -> list[int]:
    """The places of the supervised tokens."""
    return [place for place in range(1, len(sequence)) if sequence.weights[place] > 0]


def of_sheet(
    network: Any,
    reading: Reading,
    sheet: Sheet,
    sequences: Sequence[TokenSequence],
    targets: Sequence[Sequence[int]],
) -> list[tuple[float, bool]]:
    """The log-probabilities of all targets of a sheet's texts, text by text, and whether each is the likeliest."""
    device = network.device
    wanted = [
        (place(path, target - 1) - sheet.held, sequences[text].ids[target])
        for text, path in zip(sheet.texts, sheet.paths, strict=True)
        for target in targets[text]
    ]
    # Where answers begin behind the same words, one state predicts them all.
    sources = sorted({source for source, _ in wanted})
    numbers = {source: number for number, source in enumerate(sources)}
    logits_NV = logits_of(
        network, reading, on(device, [sheet.ids]), on(device, [sheet.positions]), on(device, sources)
    )[0]
    rows = on(device, [numbers[source] for source, _ in wanted])
    labels = on(device, [label for _, label in wanted])
    found = logits_NV[rows, labels].float() - normalisers(logits_NV)[rows]
    likeliest = logits_NV.argmax(-1)[rows] == labels
    return list(zip(found.tolist(), likeliest.tolist(), strict=True))


def normalisers(logits_NV: Tensor) -> Tensor:
    """``logsumexp(logits)`` in float32, ``N``, some rows at a time."""
    import torch

    rows = max(1, CHUNK // logits_NV.shape[1])
    return torch.cat([torch.logsumexp(part.float(), -1) for part in logits_NV.split(rows)])
