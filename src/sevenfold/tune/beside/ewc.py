"""Elastic weight consolidation: what general text hangs on moves least (Kirkpatrick et al. 2017, arXiv 1612.00796)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold import cache
from sevenfold.errors import RecipeError
from sevenfold.record import code_digest, digest
from sevenfold.tune.beside import Start, Working
from sevenfold.tune.beside._general import General, likelihood

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

    from sevenfold.chat.encoder import TokenSequence
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.section import TuneSection

KIND, NAME = "fisher", "fisher.safetensors"
LIMIT = 20_000_000_000
"""Bytes that the cache keeps; what was not used for longest goes."""
FLOAT32 = 4


class Ewc(General):
    r"""``strength / 2 * sum_i F_i (w_i - s_i)^2`` over everything that the method moves, ``s`` being its start.

    ``F_i = sum_x (d log p(x) / d w_i)^2 / targets`` is the diagonal of the empirical Fisher information of the general
    rows x at the start, measured once before training, a row at a time, and kept for later trainings. It says how
    much a target's log-likelihood falls when a weight moves, so the sum is the expected rise of the general rows' loss
    in nats per target: with strength 1 a nat of general text counts as much as one of the rows. What hangs on several
    weights at once is not in a diagonal, which is why higher strengths are usual.

    A matrix whose partner starts at zero, such as LoRA's A, has no gradient at the start and so is not held: EWC is
    for methods that move the model's own weights (full, layers, bitfit). It costs a copy of what moves and a number
    for each element, and one pass forward and backward over the general rows before the first step.
    """

    strength: float = Field(100.0, gt=0, description="How strongly weights are held, times the Fisher information.")
    samples: int = Field(256, ge=1, description="Rows that the Fisher information is measured on, at most.")

    def check(self, section: TuneSection) -> None:
        """Refuse methods whose numbers come to stand for other weights.

        Raises:
            RecipeError: The Fisher information would hold the wrong ones.
        """
        if section.method.wanders:
            raise RecipeError(
                "the method changes which weights its numbers stand for, so what was measured at the start would hold "
                "others",
                where="tune.beside: ewc",
                next_step="tune.beside: [l2_start], or another method",
            )

    def start(self, at: Start, name: str) -> Working:
        """Measure the Fisher information, or take it from the cache, and copy what moves."""
        from safetensors.torch import load_file

        from sevenfold.tune.beside._distance import Held

        place = self.measured(at)
        found = load_file(place, device=str(at.forward.device))
        silent = sum(int(not factors.any()) for factors in found.values())
        if silent:
            at.entry.note(
                f"{name}: {silent} of {len(found)} weights have no gradient at the start and are not held "
                "(of two factors whose product is learnt, one begins at zero)"
            )
        return Held(name, at.weights, self.strength, power=2, factors=found)

    def measured(self, at: Start) -> Path:
        """The file of the Fisher information, in the stage's folder: a resumed training reads the same bits."""
        from safetensors.torch import save_file

        rows = self.encoded(at)
        key = digest(
            {
                "rows": [rows.folder.name, self.samples],
                "weights": {
                    path.name: cache.remembered_digest(path) for path in sorted(at.model.weights.glob("*.saf*"))
                },
                "section": at.section.model_dump(mode="json", include={"method", "dropout"}),
                "files": at.section.own_files() | at.section.method.outside(),
                "environment": at.environment.model_dump(include={"device", "precision", "threads", "seed"}),
                "code": code_digest("tune", "load"),
                "versions": {name: version(name) for name in ("torch", "transformers")},
            }
        )
        place = at.folder / f"{key[:16]}-{NAME}"
        if place.is_file():
            return place

        def make(folder: Path) -> None:
            numbers = spread(len(rows.lengths), self.samples)
            with at.entry.console.task("Fisher information (general rows)", len(numbers)) as bar:
                found = fisher(at.forward, at.weights, map(rows.sequence, numbers), bar.advance)
            save_file(found, folder / NAME)

        kept = cache.kept(KIND, key, make)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(kept / NAME, place)
        cache.trim(KIND, LIMIT)
        return place

    def state_bytes(self, weights: Mapping[str, nn.Parameter]) -> int:
        """The copy, and a float32 number for each element."""
        return sum(weight.numel() * (weight.element_size() + FLOAT32) for weight in weights.values())


def spread(rows: int, count: int) -> list[int]:
    """At most so many of some rows, from all places alike."""
    return [place * rows // min(rows, count) for place in range(min(rows, count))]


def fisher(
    forward: Forward,
    weights: Mapping[str, nn.Parameter],
    rows: Iterable[TokenSequence],
    advance: Callable[[int], None],
) -> dict[str, Tensor]:
    """The diagonal of the empirical Fisher information, per target, float32, on the CPU.

    Args:
        forward: The network.
        weights: Those that it is of.
        rows: General rows.
        advance: Called with the rows that are done.
    """
    import torch

    from sevenfold.tune.engine.passes import pack

    sums = {name: torch.zeros_like(weight, dtype=torch.float32) for name, weight in weights.items()}
    targets, training = 0.0, forward.network.training
    frozen = [weight for weight in weights.values() if not weight.requires_grad]
    forward.network.eval()
    for weight in frozen:
        weight.requires_grad_()
    try:
        for row in rows:
            part = pack([row])
            likelihood(forward, part).backward()
            targets += part.weight
            for name, weight in weights.items():
                if weight.grad is not None:
                    sums[name] += weight.grad.float().square_()
                weight.grad = None
            advance(1)
    finally:
        forward.network.train(training)
        for weight in frozen:
            weight.requires_grad_(False)
    return {name: (total / targets).cpu().contiguous() for name, total in sums.items()}
