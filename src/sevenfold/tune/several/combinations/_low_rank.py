"""The best low-rank form of a change, and the share of it that is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sevenfold.tune.several.combinations import Combined

if TYPE_CHECKING:
    from torch import Tensor


def of_factors(up_OR: Tensor, down_RI: Tensor, rank: int) -> Combined:
    """The best approximation of ``B A`` at a rank; the whole weight is never made.

    With ``B = Q_B R_B`` and ``A^T = Q_A R_A``, the singular values of ``B A`` are those of the small ``R_B R_A^T``.
    """
    import torch

    q_b, r_b = torch.linalg.qr(up_OR.double())
    q_a, r_a = torch.linalg.qr(down_RI.double().t())
    u, s, vh = torch.linalg.svd(r_b @ r_a.t(), full_matrices=False)
    return cut(q_b @ u, s, vh @ q_a.t(), rank)


def of_change(change_OI: Tensor, rank: int) -> Combined:
    """The best approximation of a whole weight's change at a rank (Eckart and Young 1936)."""
    import torch

    u, s, vh = torch.linalg.svd(change_OI, full_matrices=False)
    return cut(u, s, vh, rank)


def cut(u: Tensor, s: Tensor, vh: Tensor, rank: int) -> Combined:
    """The largest singular values, shared out evenly over A and B; missing ones are zeros."""
    from torch.nn import functional as F

    energy = s.double() ** 2
    root = s[:rank].sqrt()
    up, down = u[:, :rank] * root, root[:, None] * vh[:rank]
    missing = rank - len(root)
    return Combined(
        down_RI=F.pad(down, (0, 0, 0, missing)).float(),
        up_OR=F.pad(up, (0, missing)).float(),
        kept=float(energy[:rank].sum()),
        total=float(energy.sum()),
    )
