"""The frozen trunk: what lies below everything that moves is computed once for each document, and kept on disk."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sevenfold.disk import nearest_folder
from sevenfold.errors import ModelError
from sevenfold.tune.engine.blocks import stack
from sevenfold.tune.engine.probe import trunk as body_of
from sevenfold.tune.engine.states import Key, States, octets
from sevenfold.tune.engine.trunk_probe import Probe, frozen, states_of

if TYPE_CHECKING:
    from sevenfold.record import Entry
    from sevenfold.tune.encoded import Encoded
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.section import TuneSection

SHARE = 0.25
"""The least share of the blocks that is worth the disk."""
ROOM = 0.5
"""The largest share of the free disk that is taken."""


class Trunk:
    """Gives the lowest blocks' output from the disk where every document of a pass was seen before.

    Equals the plain network: the blocks above always start from what the file holds, so it makes no difference to a
    single bit whether a document's states were computed in this pass, by a process that was killed since, or an epoch
    ago. A document is known by its ids, and attention never crosses documents, so nothing else decides its states.

    It works by public hooks: on the network's body, which sees the ids, and on the trunk's last block. While all is
    known, stand-ins that give their input back lie in the trunk's places.

    Args:
        network: A causal model called with ``input_ids`` and ``position_ids`` that restart at each document.
        depth: Blocks of the trunk.
        states: Where states are kept.
        every: Keep training's documents too; else only those of passes without gradients, which are validation's.
    """

    def __init__(self, network: Any, depth: int, states: States, every: bool) -> None:
        self.blocks = stack(network)[1]
        self.depth, self.states, self.every = depth, states, every
        self.trunk = list(self.blocks[:depth])
        self.standins = [StandIn(block) for block in self.trunk]
        self.keys: list[Key] = []
        self.bounds: list[int] = []
        self.skipped, self.active = 0, True
        body = body_of(network)
        self.handles = [
            body.register_forward_pre_hook(self.enter, with_kwargs=True),
            body.register_forward_hook(self.leave, always_call=True),
            self.trunk[-1].register_forward_hook(self.replace),
        ]

    def enter(self, body: nn.Module, positional: object, named: dict[str, Any]) -> None:
        """Learn which documents come; put the stand-ins in place when all are known."""
        ids, positions = named.get("input_ids"), named.get("position_ids")
        # Generation fills a cache in every block.
        if not self.active or ids is None or positions is None or len(ids) != 1 or named.get("use_cache", True):
            return
        self.bounds = [*torch.nonzero(positions[0] == 0)[:, 0].tolist(), ids.shape[1]]
        self.keys = keys(ids[0], positions[0], self.bounds)
        if all(key in self.states for key in self.keys):
            self.standins[-1].given = self.entering(torch.empty(0, device=ids.device))
            self.place(self.standins)
            self.skipped += 1

    def leave(self, *called: object) -> None:
        """Put the blocks back; also when the pass failed."""
        self.standins[-1].given = None
        self.place(self.trunk)
        self.keys = []

    def place(self, modules: Sequence[nn.Module]) -> None:
        """Let these stand in the trunk's places."""
        for index, module in enumerate(modules):
            self.blocks[index] = module

    def replace(self, block: nn.Module, inputs: object, computed: Tensor) -> Tensor | None:
        """Keep what the trunk computed; what goes on is what the file holds."""
        if not self.keys:
            return None
        if self.every or not torch.is_grad_enabled():
            for key, (start, end) in zip(self.keys, pairwise(self.bounds), strict=True):
                if key not in self.states:
                    self.states.write(key, computed[0, start:end])
        return self.entering(computed)

    def entering(self, computed: Tensor) -> Tensor:
        """What enters the first block above, ``1 x T x D``: from the file where it is there, else as computed."""
        entering = torch.empty(1, self.bounds[-1], self.states.width, dtype=self.states.dtype)
        for key, (start, end) in zip(self.keys, pairwise(self.bounds), strict=True):
            if key in self.states:
                self.states.read(key, entering[0, start:end])
            else:
                entering[0, start:end] = computed[0, start:end]
        return entering.to(computed.device)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The plain network for a while."""
        self.active = False
        yield
        self.active = True

    def detach(self) -> None:
        """Take the hooks off."""
        for handle in self.handles:
            handle.remove()
        self.states.close()


class StandIn(nn.Module):
    """Stands in a block's place and gives its input back, or what was given to it; otherwise looks like the block."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block
        self.given: Tensor | None = None

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("block"), name)

    def forward(self, *positional: Any, **named: Any) -> Tensor:
        """The states."""
        entered: Tensor = positional[0] if positional else named["hidden_states"]
        return entered if self.given is None else self.given


def keys(ids_T: Tensor, positions_T: Tensor, bounds: Sequence[int]) -> list[Key]:
    """What documents are known by: 128 bits of a hash of their ids, and of their positions, which show branches."""
    values = torch.stack([ids_T, positions_T], 1).cpu().numpy().astype("<i8")
    digests = [hashlib.blake2b(values[start:end].tobytes(), digest_size=16).digest() for start, end in pairwise(bounds)]
    return [(int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")) for digest in digests]


def apply(section: TuneSection, forward: Forward, rows: dict[str, Encoded], entry: Entry) -> Trunk | None:
    """Keep the frozen trunk's states where that saves time; says so.

    Where fewer than a quarter of the blocks are frozen, or no text is read twice, nothing is done or said. Rows whose
    start is asked before the first step are read twice even in one epoch.

    Args:
        section: The recipe's section.
        forward: The network as it trains.
        rows: The splits ``train`` and ``validation``.
        entry: The stage's folder, which keeps the states while the stage runs, and its notes.
    """
    if section.objective.on_policy:
        # What is read was written a moment ago, and does not come again.
        return None
    epochs = section.total_steps(len(rows["train"])) > section.steps_per_epoch(len(rows["train"]))
    every = epochs or section.objective.reference
    tokens = read_again(section, rows, every)
    if section.engine.trunk_cache == "never" or section.objective.anew or not tokens:
        return None
    try:
        trunk, note = install(forward, entry.folder, tokens, every)
    except ModelError:
        return None
    if note:
        entry.note(note)
    return trunk


def read_again(section: TuneSection, rows: dict[str, Encoded], every: bool) -> int:
    """Tokens that are read more than once: validation's, and training's where ``every`` row comes again."""
    validated = range(min(len(rows["validation"]), section.validation_rows))
    tokens = sum(sum(rows["validation"].row_lengths(row)) for row in validated)
    return tokens + (int(rows["train"].lengths.sum()) if every else 0)


def install(forward: Forward, folder: Path, tokens: int, every: bool) -> tuple[Trunk | None, str]:
    """Try the network and install the trunk's cache; gives it, or None, and what the user should know.

    Args:
        forward: The network as it trains.
        folder: Gets a folder ``trunk``; what an earlier process left of the same trunk there is used.
        tokens: Room to reserve.
        every: As in :class:`Trunk`.

    Raises:
        ModelError: The network has no blocks.
    """
    probe = Probe(forward)
    outputs, _ = probe.run()
    depth = frozen(outputs)
    if depth < SHARE * len(probe.blocks):
        return None, ""
    states = states_of(outputs[depth - 1])
    place, size = folder / "trunk", tokens * states.shape[-1] * states.dtype.itemsize
    reason = refused(forward, probe, depth, states) or too_large(size, place)
    if reason:
        return None, f"the lowest {depth} blocks are frozen and yet computed in every epoch: {reason}"
    owner = {"depth": depth, "dtype": str(states.dtype), "probe": hashlib.sha256(octets(states)).hexdigest()}
    kept = States(place, states.shape[-1], states.dtype, size, owner)
    return Trunk(forward.network, depth, kept, every), (
        f"the lowest {depth} of {len(probe.blocks)} blocks are frozen: what they give is kept on disk "
        f"({size / 1e6:,.1f} MB until the training ends), and rows that come again skip them"
    )


def refused(forward: Forward, probe: Probe, depth: int, states: Tensor) -> str:
    """Why the trunk of this network cannot be skipped; empty when it can."""
    if probe.random(depth):
        return "what they give hangs on chance (dropout)"
    with tempfile.TemporaryDirectory() as folder:
        kept = States(Path(folder) / "trunk", states.shape[-1], states.dtype, states.nbytes, {})
        trunk = Trunk(forward.network, depth, kept, every=True)
        try:
            equal = probe.equal(trunk)
        except (RuntimeError, TypeError, AttributeError, ValueError, LookupError) as error:
            return f"{type(forward.network).__name__} cannot run without them ({type(error).__name__}: {error})"
        finally:
            trunk.detach()
    if not trunk.skipped:
        return f"documents do not lie side by side in {type(forward.network).__name__}"
    return "" if equal else f"{type(forward.network).__name__} gives something else without them"


def too_large(size: int, place: Path) -> str:
    """Why the disk cannot take the states; empty when it can."""
    earlier = place / "states"
    free = shutil.disk_usage(nearest_folder(place)).free + (earlier.stat().st_size if earlier.exists() else 0)
    if size <= ROOM * free:
        return ""
    return f"what they give is {size / 1e6:,.1f} MB, more than half of the {free / 1e6:,.1f} MB that the disk has left"


def remove(folder: Path) -> None:
    """Remove the states from a stage's folder; its result does not need them."""
    shutil.rmtree(folder / "trunk", ignore_errors=True)
