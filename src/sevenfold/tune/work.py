"""What a training will do, in numbers, for the plan of memory and time."""

from __future__ import annotations

import numpy as np

from sevenfold.errors import RecipeError
from sevenfold.load.model import Model
from sevenfold.setup.environment import Environment
from sevenfold.setup.plan import Shape, Work
from sevenfold.setup.plan.work import OVERHEAD
from sevenfold.tune.batches import Batches
from sevenfold.tune.encoded import Encoded
from sevenfold.tune.engine import activations, bases
from sevenfold.tune.engine.head import chunk_of
from sevenfold.tune.engine.passes import split
from sevenfold.tune.engine.short import KEPT
from sevenfold.tune.methods import Needs
from sevenfold.tune.section import TuneSection


def work_of(section: TuneSection, rows: Encoded, model: Model, environment: Environment) -> Work:
    """Count what is trained, and walk through all batches to find the largest pass.

    Args:
        section: The recipe's section.
        rows: The training rows.
        model: The base model; its network is built without weights.
        environment: Its precision and seed.

    Raises:
        RecipeError: The engine cannot work as ``tune.engine`` asks, or nothing is trained.
    """
    if not section.method.trains:
        raise RecipeError(
            "nothing is trained, so there is nothing to plan", where="tune.method", next_step="sevenfold run RECIPE"
        )
    network = model.skeleton()
    section.method.attach(network)
    activations.check(section.engine.activations, network, environment.device)
    weights = section.method.trainable(network)
    sizes = [weight.numel() for weight in weights.values()]
    held = sum(term.state_bytes(weights) for term in section.beside)
    needs = section.method.needs(section, network, environment.dtype)
    frozen, frozen_bytes = bases.frozen(network, section.method.weights_dtype(environment.dtype))
    lengths = rows.lengths
    steps = section.total_steps(len(rows))
    if needs.in_backward:
        check_one_pass(section, rows, environment.seed, steps)
    layers, recomputable = model.card.layers, len(activations.recomputable(network)) if needs.backward else 0
    share = rows.supervised / max(1, int(lengths.sum()))
    largest, total = walk(section, rows, environment.seed, steps)
    more = sum(term.rows_share(section.batch) for term in section.beside)
    if more:
        # Rows that stand beside the objective's are not walked through: they count like these, and fill a pass.
        largest, total = section.tokens_per_pass, round(total * (1 + more))
    return Work(
        shape=Shape.of(model.card),
        frozen_parameters=frozen,
        trainable_parameters=sum(sizes),
        tokens_per_pass=largest,
        supervised_per_pass=max(1, round(share * largest)),
        total_tokens=total,
        total_supervised=round(share * total),
        # A token's attention is over its own row, so long rows count by their tokens.
        mean_length=float((lengths.astype(float) ** 2).sum() / lengths.sum()),
        longest_row=int(lengths.max()),
        activation_bytes=environment.dtype.itemsize,
        frozen_bytes=frozen_bytes / max(1, frozen),
        scores_kept=scores_kept(lengths, environment.device),
        head_chunk=chunk_of(model.card.vocabulary),
        overhead_bytes=OVERHEAD + section.objective.beside_bytes(model, environment.dtype),
        backward_blocks=max(0, layers - len(activations.blocks(network)) + recomputable) if needs.backward else 0,
        recomputable=recomputable,
        recomputed={"auto": None, "recompute": recomputable}.get(section.engine.activations, 0),
        offloaded=section.engine.activations == "offload",
        trainable_bytes=needs.weight_bytes,
        gradient_bytes=needs.weight_bytes,
        optimizer_bytes=(needs.optimizer_bytes + held) / max(1, sum(sizes)),
        gradient_parameters=gradients_together(needs, sizes),
        backward=needs.backward,
        rounds=needs.rounds,
    )


def gradients_together(needs: Needs, sizes: list[int]) -> int | None:
    """Parameters whose gradients exist together; None: all that move."""
    if not needs.backward:
        return 0
    return max(sizes) if needs.in_backward else None


def scores_kept(lengths: np.ndarray, device: str) -> float:
    """Attention weights that a head keeps for a token, on average: a short document's own length, on a CPU."""
    short = lengths[lengths <= KEPT].astype(float)
    return float((short**2).sum() / lengths.sum()) if device == "cpu" else 0.0


LOOKED_AT = 2000
"""Steps whose passes are laid out to find the largest one; the fullest steps come first."""


def walk(section: TuneSection, rows: Encoded, seed: int, steps: int) -> tuple[int, int]:
    """Tokens of the largest pass, and of all steps together."""
    totals = step_tokens(rows, section.batch, seed)[:steps]
    largest = int(totals[totals <= section.tokens_per_pass].max(initial=0))
    batches = Batches(len(rows), section.batch, seed)
    over = np.flatnonzero(totals > section.tokens_per_pass)
    fullness = totals[over] / np.ceil(totals[over] / section.tokens_per_pass)
    for step in over[np.argsort(-fullness)][:LOOKED_AT].tolist():
        lengths = [length for row in batches.at(step) for length in rows.row_lengths(row)]
        groups = split(lengths, section.tokens_per_pass)
        largest = max(largest, *(sum(lengths[index] for index in group) for group in groups))
    # Later epochs read the same rows in another order; a last, partial one is counted by its share of steps.
    return largest, round(int(totals.sum()) * max(1.0, steps / batches.per_epoch))


def step_tokens(rows: Encoded, batch: int, seed: int) -> np.ndarray:
    """Tokens of each step of the first epoch."""
    firsts = np.concatenate([[0], rows.parts["rows"][:-1]])
    row_tokens = np.add.reduceat(rows.lengths, firsts)
    order = Batches(len(rows), batch, seed).order(0)
    found: np.ndarray = np.add.reduceat(row_tokens[order], np.arange(0, len(rows), batch))
    return found


def check_one_pass(section: TuneSection, rows: Encoded, seed: int, steps: int) -> None:
    """Refuse to move weights in the backward pass where gradients of earlier passes would have to be kept after all.

    Raises:
        RecipeError: A step takes more than one pass; the message has the smallest passes and the largest batch that do.
    """
    batches = Batches(len(rows), section.batch, seed)
    lengths = ([length for row in batches.at(step) for length in rows.row_lengths(row)] for step in range(steps))
    # A sequence alone is one pass however long it is.
    largest = max((sum(step) for step in lengths if len(step) > 1), default=0)
    if largest <= section.tokens_per_pass:
        return
    longest_first = sorted((sum(rows.row_lengths(row)) for row in range(len(rows))), reverse=True)
    batch = int((np.cumsum(longest_first) <= section.tokens_per_pass).sum())
    asked = "tune.engine.step_in_backward" if section.engine.step_in_backward else "tune.method"
    raise RecipeError(
        f"{asked} needs every step to be one pass, and the largest step has {largest} tokens "
        f"where tune.tokens_per_pass is {section.tokens_per_pass}: gradients of earlier passes would be kept, and "
        "nothing saved",
        next_step=f"tune.tokens_per_pass: {largest}" + (f", or tune.batch: {batch}" if batch else ""),
    )
