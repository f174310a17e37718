"""Which entries of a weight move, changed while training: the least changed are dropped, promising ones grow."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial

import torch
from torch import Tensor, nn

from sevenfold.tune.engine.sparse import SparseLinear, entry_gradients


class Growth(nn.Module):
    """Finds new entries for one layer; its tensors are buffers, the training's state.

    Args:
        layer: With deltas on entries.
    """

    optimizer: torch.optim.Optimizer | None = None
    """What moves the deltas; its moments are those of the entries."""

    @abstractmethod
    def begin(self, layer: SparseLinear, position: int, length: int) -> None:
        """Before the passes of a step.

        Args:
            layer: The layer.
            position: Steps since the last growth's gradients were begun to be collected.
            length: Steps that collect.
        """

    def before_move(self, layer: SparseLinear) -> None:
        """The gradient of the deltas is whole."""

    @abstractmethod
    def best(self, layer: SparseLinear, staying: Tensor, count: int) -> Tensor:
        """The most promising entries, at most ``count``, none of those that stay."""


class AccumulatedGradient(Growth):
    """SpIEL-AG: the gradients of as many candidates as there are deltas, added up over a few steps.

    The candidates are the entries with the largest gradient in the first pass of the first of these steps. Only there
    is the gradient of a whole weight computed, and it is gone behind it: one weight's at a time.
    """

    candidates: Tensor
    accumulated: Tensor

    def __init__(self, layer: SparseLinear) -> None:
        super().__init__()
        self.register_buffer("candidates", torch.zeros_like(layer.places), persistent=False)
        self.register_buffer("accumulated", torch.zeros_like(layer.deltas.detach()), persistent=False)

    def begin(self, layer: SparseLinear, position: int, length: int) -> None:
        """Choose candidates in the first step, add in all, and watch nothing between."""
        if position >= length:
            layer.watch = None
            return
        layer.watch = partial(self.choose, layer) if position == 0 else self.add

    def choose(self, layer: SparseLinear, x_TI: Tensor, dy_TO: Tensor) -> Tensor:
        """Take the candidates; gives the gradient of the deltas, since all is computed."""
        dense = (dy_TO.t() @ x_TI).view(-1).float()
        self.candidates.copy_(dense.abs().topk(len(self.candidates)).indices)
        self.accumulated.copy_(dense[self.candidates])
        layer.watch = self.add
        return dense[layer.places]

    def add(self, x_TI: Tensor, dy_TO: Tensor) -> None:
        """Add the candidates' gradients of another pass."""
        self.accumulated.add_(entry_gradients(x_TI, dy_TO, self.candidates))

    def best(self, layer: SparseLinear, staying: Tensor, count: int) -> Tensor:
        """The candidates with the largest sum of gradients."""
        possible = ~torch.isin(self.candidates, staying)
        candidates, sums = self.candidates[possible], self.accumulated[possible]
        return candidates[sums.abs().topk(min(count, len(sums))).indices]


class MomentumApproximation(Growth):
    """SpIEL-MA: what the gradients of the deltas say of their rows and columns, with the accumulators of SM3.

    In every step ``v_ij = min(R_i, C_j) + g_ij^2`` for the entries that move, then ``R_i = max(R_i, max_j v_ij)``
    and so with ``C_j`` (Anil et al. 2019, arXiv 1901.11150). An entry that does not move is estimated at ``R_i C_j``.
    It keeps one number for each row and each column, and no gradient of a whole weight is ever computed.
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, layer: SparseLinear) -> None:
        super().__init__()
        self.register_buffer("rows", layer.deltas.new_zeros(layer.outputs).detach(), persistent=False)
        self.register_buffer("columns", layer.deltas.new_zeros(layer.inputs).detach(), persistent=False)

    def begin(self, layer: SparseLinear, position: int, length: int) -> None:
        """Nothing is watched: the gradient of the deltas is enough."""

    def before_move(self, layer: SparseLinear) -> None:
        """Bring rows and columns up to date."""
        if layer.deltas.grad is None:
            return
        rows, columns = layer.places.long() // layer.inputs, layer.places.long() % layer.inputs
        estimates = torch.minimum(self.rows[rows], self.columns[columns]) + layer.deltas.grad.square()
        self.rows.scatter_reduce_(0, rows, estimates, "amax")
        self.columns.scatter_reduce_(0, columns, estimates, "amax")

    def best(self, layer: SparseLinear, staying: Tensor, count: int) -> Tensor:
        """The entries with the largest estimate."""
        estimates = torch.outer(self.rows, self.columns).view(-1)
        estimates[staying] = -1
        return estimates.topk(min(count, len(estimates) - len(staying))).indices


@torch.no_grad()
def regrow(layer: SparseLinear, growth: Growth, share: float) -> int:
    """Drop a share of the deltas, the least changed, and let others grow in their places.

    What is dropped leaves the base's weight; what is grown starts from it. An entry that would be dropped and is among
    the best stays as it is.

    Args:
        layer: With deltas on entries.
        growth: Finds the new ones.
        share: Of the deltas, 0 to 1.

    Returns:
        How many entries are new.
    """
    count = int(share * len(layer.places))
    if not count:
        return 0
    least = layer.deltas.abs().topk(count, largest=False).indices
    stays = torch.ones_like(layer.places, dtype=torch.bool)
    stays[least] = False
    best = growth.best(layer, layer.places[stays], count).to(layer.places.dtype)
    new = best[~torch.isin(best, layer.places)]
    dropped = least[~torch.isin(layer.places[least], best)][: len(new)]
    layer.places[dropped] = new
    layer.deltas[dropped] = 0
    if growth.optimizer is not None:
        forget(growth.optimizer, layer.deltas, dropped)
    return len(new)


def forget(optimizer: torch.optim.Optimizer, weight: nn.Parameter, places: Tensor) -> None:
    """Reset the optimiser's moments of some entries of a weight.

    All are zero again but Adam's second one: the correction of its bias counts steps of the whole weight, so beside a
    zero the first steps of a new entry would be several times the learning rate. It starts at the weight's mean.
    """
    for name, moment in optimizer.state.get(weight, {}).items():
        if isinstance(moment, Tensor) and moment.shape == weight.shape:
            moment[places] = moment.mean() if name == "exp_avg_sq" else 0


def spread(entries: int, count: int) -> Tensor:
    """Places drawn at random, one from each of ``count`` equal parts of a weight; from torch's global generator."""
    edges = torch.arange(count + 1) * entries // count
    widths = edges[1:] - edges[:-1]
    return edges[:-1] + (torch.rand(count, dtype=torch.float64) * widths).long()
