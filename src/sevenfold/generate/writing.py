"""Answers to many prompts at once: no padding, common beginnings read once, no place kept by a finished answer.

``generate`` of transformers pads prompts to one length, keeps finished answers in the batch until the last one ends,
and copies all keys and values with every token. Here the place of an answer that ended is taken by the next prompt.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sevenfold.generate.choosing import choose
from sevenfold.generate.engine import Sampling
from sevenfold.generate.fitting import Fit
from sevenfold.generate.memory import Reading, logits_of, on
from sevenfold.generate.paths import Sheet, Sheets, common, place
from sevenfold.generate.slots import Slots

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sevenfold.generate.memory import Pair

ROOM = 1 << 30
"""Bytes of keys and values of answers that are written at once; one answer is written whatever it takes."""
ROWS = 64
"""Most answers that are written at once: beyond, a step takes as much longer as it writes more."""
READ = 1024
"""Tokens of prompts that are read at once."""
STEM = 32
"""Tokens from which on what all prompts begin with is kept once for all, instead of once for each."""
REFILLED = 0.25
"""Share of places that are empty before new prompts are read, while there are as many: a few are read faster together
than one by one."""
SPREAD = 4
"""How many times as long as the shortest the longest text may be among many that are written together: all attend as
far as the longest."""


@dataclass(slots=True)
class Written:
    """One answer.

    Args:
        index: Whose.
        ids: Its tokens, the stop token included.
        seconds: From when its prompt was read.
    """

    index: int
    ids: list[int]
    seconds: float


@dataclass
class Writing:
    """What is written and how.

    Args:
        network: Inside of :func:`~sevenfold.generate.memory.remembering`, in evaluation mode.
        fit: How it fits.
        prompts: Ids of each prompt, none empty.
        sampling: How tokens are chosen.
        stop_ids: Tokens that end an answer.
        limits: Most tokens of each answer; empty: what ``sampling`` says.
        ended: Whether an answer ends with a token for another reason: asked with each, by prompt and token.
        chance_PT: A number between 0 and 1 for each token of each answer; not read where the likeliest is taken.
    """

    network: Any
    fit: Fit
    prompts: Sequence[Sequence[int]]
    sampling: Sampling
    stop_ids: Collection[int]
    limits: Sequence[int] = ()
    ended: Callable[[int, int], bool] | None = None
    chance_PT: Tensor | None = None

    def __post_init__(self) -> None:
        self.limits = self.limits or [self.sampling.max_new_tokens] * len(self.prompts)

    def answers(self) -> Iterator[Written]:
        """The answers as they end."""
        for group in self.groups():
            yield from Group(self, group).answers()

    def groups(self) -> list[list[int]]:
        """Prompts that are answered together, shortest first.

        A text that is much longer than the first of a group begins a new one where the group is large enough to keep
        the machine busy, or where the long text would take the others' room.
        """
        needed = [len(prompt) + limit for prompt, limit in zip(self.prompts, self.limits, strict=True)]
        groups: list[list[int]] = []
        for index in sorted(range(len(needed)), key=needed.__getitem__):
            group = groups[-1] if groups else []
            crowded = len(group) >= min(ROWS, ROOM // (self.fit.token * needed[index]))
            if not group or (crowded and needed[index] > SPREAD * needed[group[0]]):
                groups.append(group := [])
            group.append(index)
        return groups

    def choose(self, logits_BV: Tensor, indices: Sequence[int], steps: Sequence[int]) -> list[int]:
        """The next tokens of some answers, which have so many already."""
        chance_B = logits_BV.new_empty(0)
        if self.chance_PT is not None:
            chance_B = self.chance_PT[list(indices), list(steps)].to(logits_BV.device)
        found: list[int] = choose(logits_BV, chance_B, self.sampling).tolist()
        return found


@dataclass(slots=True)
class Row:
    """An answer that is being written.

    Args:
        index: Its prompt.
        started: When that was read, seconds.
        ids: Its tokens so far.
    """

    index: int
    started: float
    ids: list[int] = field(default_factory=list)


class Group:
    """Prompts of like length, of which as many are answered at once as have room."""

    def __init__(self, writing: Writing, indices: Sequence[int]) -> None:
        self.writing, self.indices = writing, indices
        self.device = writing.network.device
        prompts = [writing.prompts[index] for index in indices]
        stem = self.stem(prompts)
        longest = max(len(writing.prompts[index]) + writing.limits[index] for index in indices)
        # The last token of an answer is never read.
        places = max(longest - 1 - len(stem), 1)
        count = max(1, min(ROWS, len(indices), ROOM // (writing.fit.token * places)))
        self.held = self.read_stem(stem)
        self.sheets = Sheets(prompts, [len(prompt) - 1 for prompt in prompts], READ, held=len(stem))
        self.slots = Slots(count, places, self.held, self.device)
        self.rows: list[Row | None] = [None] * count
        self.done: deque[Written] = deque()

    def stem(self, prompts: Sequence[Sequence[int]]) -> list[int]:
        """What all prompts begin with, where that is worth keeping; each has a token behind it."""
        low, high = min(map(list, prompts)), max(map(list, prompts))
        length = min(common(low, high), min(map(len, prompts)) - 1)
        return low[:length] if len(prompts) > 1 and length >= STEM else []

    def read_stem(self, stem: list[int]) -> dict[nn.Module, Pair]:
        """Its keys and values by layer."""
        if not stem:
            return {}
        reading = Reading(Sheets([stem], [0], len(stem)).take(), {}, keeps=True)
        logits_of(self.writing.network, reading, on(self.device, [stem]), on(self.device, [list(range(len(stem)))]), 1)
        return reading.kept

    def answers(self) -> Iterator[Written]:
        """The answers as they end."""
        while self.sheets.left or any(self.rows):
            free = [slot for slot, row in enumerate(self.rows) if row is None]
            if free and self.sheets.left and len(free) >= min(self.sheets.left, REFILLED * len(self.rows)):
                self.admit(free)
            else:
                if free and not self.sheets.left:
                    self.shrink(free)
                self.step()
            while self.done:
                yield self.done.popleft()

    def admit(self, free: list[int]) -> None:
        """Read the next prompts into empty places, and choose the first token of each."""
        started, writing = time.perf_counter(), self.writing
        sheet: Sheet = self.sheets.take(len(free))
        reading = Reading(sheet, self.held, keeps=True)
        indices = [self.indices[text] for text in sheet.texts]
        lengths = [len(writing.prompts[index]) for index in indices]
        sources = [place(path, length - 1) - sheet.held for path, length in zip(sheet.paths, lengths, strict=True)]
        logits_NV = logits_of(
            writing.network,
            reading,
            on(self.device, [sheet.ids]),
            on(self.device, [sheet.positions]),
            on(self.device, sources),
        )[0]
        self.held = reading.carried()
        taken = free[: len(indices)]
        self.slots.lay(taken, reading, sheet.paths, lengths)
        tokens = writing.choose(logits_NV, indices, [0] * len(indices))
        for slot, index, token in zip(taken, indices, tokens, strict=True):
            self.rows[slot] = Row(index, started)
            self.add(slot, token)

    def step(self) -> None:
        """One more token for every answer."""
        live = [slot for slot, row in enumerate(self.rows) if row is not None]
        if not live:
            return
        ids = [row.ids[-1] if row else 0 for row in self.rows]
        self.slots.start()
        logits_SV = logits_of(
            self.writing.network, self.slots, on(self.device, ids)[:, None], self.slots.positions_S[:, None], 1
        )[:, 0]
        self.slots.end()
        rows = [row for row in self.rows if row is not None]
        if len(live) < len(self.rows):
            logits_SV = logits_SV[on(self.device, live)]
        tokens = self.writing.choose(logits_SV, [row.index for row in rows], [len(row.ids) for row in rows])
        for slot, token in zip(live, tokens, strict=True):
            self.add(slot, token)

    def add(self, slot: int, token: int) -> None:
        """Write a token of the answer in a place; the place is empty again when that was the last."""
        row, writing = self.rows[slot], self.writing
        assert row is not None
        row.ids.append(token)
        ended = writing.ended is not None and writing.ended(row.index, token)
        if ended or token in writing.stop_ids or len(row.ids) == writing.limits[row.index]:
            self.done.append(Written(row.index, row.ids, time.perf_counter() - row.started))
            self.rows[slot] = None
            self.slots.free(slot)

    def shrink(self, free: list[int]) -> None:
        """Give empty places up when nothing will take them and they are many: to do so moves all others."""
        if len(free) >= REFILLED * len(self.rows) and len(free) < len(self.rows):
            live = [slot for slot, row in enumerate(self.rows) if row is not None]
            self.slots.keep(live)
            self.rows = [self.rows[slot] for slot in live]


def chances(answers: int, sampling: Sampling) -> Tensor | None:
    """Numbers between 0 and 1 for each token of some answers; None where the likeliest is taken.

    Each answer has its own, so what it is does not depend on which others are written beside it.
    """
    import torch

    if sampling.temperature == 0:
        return None
    draws = torch.Generator()
    if sampling.seed is None:
        draws.seed()
    else:
        draws.manual_seed(sampling.seed)
    return torch.rand(answers, sampling.max_new_tokens, generator=draws, dtype=torch.float32)
