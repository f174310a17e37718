"""What a training will do, in numbers, for the plan of memory and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sevenfold.errors import RecipeError
from sevenfold.load.model import Model
from sevenfold.setup.environment import Environment
from sevenfold.setup.plan import OVERHEAD, Shape, Work
from sevenfold.tune import spans
from sevenfold.tune.batches import Batches
from sevenfold.tune.encoded import Encoded
from sevenfold.tune.engine import activations, bases
from sevenfold.tune.engine.head import chunk_of
from sevenfold.tune.engine.passes import split
from sevenfold.tune.engine.short import KEPT
from sevenfold.tune.methods import Needs
from sevenfold.tune.section import TuneSection

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel


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
    own, own_bytes = beside(section, network, model)
    sizes += [weight.numel() for weight in own.values()]
    extra = section.objective.extra(model)
    found = spans.of_rows(rows, extra)
    steps = section.total_steps(len(rows))
    if needs.in_backward:
        check_one_pass(section, rows, found.sequences, environment.seed, steps)
    layers, recomputable = model.card.layers, len(activations.recomputable(network)) if needs.backward else 0
    share = found.targets / max(1, found.tokens) if extra.head else 0.0
    largest, total, parted = walk(section, rows, found.sequences, environment.seed, steps)
    total *= extra.repeats
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
        mean_length=found.mean_length,
        longest_row=int(found.sequences.max()),
        activation_bytes=environment.dtype.itemsize,
        frozen_bytes=frozen_bytes / max(1, frozen),
        # A short document's weights, on a CPU.
        scores_kept=found.scores_kept(KEPT) if environment.device == "cpu" else 0.0,
        keys_copied=found.copied,
        head_chunk=chunk_of(model.card.vocabulary),
        overhead_bytes=OVERHEAD + own_bytes + section.objective.beside_bytes(model, environment.dtype),
        backward_blocks=max(0, layers - len(activations.blocks(network)) + recomputable) if needs.backward else 0,
        recomputable=recomputable,
        recomputed={"auto": None, "recompute": recomputable}.get(section.engine.activations, 0),
        offloaded=section.engine.activations == "offload",
        trainable_bytes=needs.weight_bytes,
        gradient_bytes=needs.weight_bytes,
        optimizer_bytes=(needs.optimizer_bytes + held + section.optimizer.state_bytes(own)) / max(1, sum(sizes)),
        gradient_parameters=gradients_together(needs, sizes),
        backward=needs.backward,
        rounds=needs.rounds,
        # What is joint goes through twice where a step has several passes.
        forwards=extra.forwards * (parted if section.objective.joint else 1.0),
        tokens_before=before(section, rows, environment.seed, steps) if section.objective.reference else 0,
        operations_beside=extra.operations,
    )


def beside(section: TuneSection, network: PreTrainedModel, model: Model) -> tuple[dict[str, nn.Parameter], int]:
    """What the objective trains beside the network, by name, and the bytes of what it holds there and does not."""
    import torch

    with torch.device("meta"):
        own = section.objective.own(network, model)
    if own is None:
        return {}, 0
    trained = {name: weight for name, weight in own.named_parameters() if weight.requires_grad}
    held = [*(weight for weight in own.parameters() if not weight.requires_grad), *own.buffers()]
    return trained, sum(tensor.nbytes for tensor in held)


def before(section: TuneSection, rows: Encoded, seed: int, steps: int) -> int:
    """Tokens of all rows that the training visits, each once."""
    return int(step_tokens(section, rows, seed)[:steps].sum())


def gradients_together(needs: Needs, sizes: list[int]) -> int | None:
    """Parameters whose gradients exist together; None: all that move."""
    if not needs.backward:
        return 0
    return max(sizes) if needs.in_backward else None


LOOKED_AT = 2000
"""Steps whose passes are laid out to find the largest one; the fullest steps come first."""


def walk(section: TuneSection, rows: Encoded, lengths: np.ndarray, seed: int, steps: int) -> tuple[int, int, float]:
    """Tokens of the largest pass, of all steps together, and the share of them in steps of several passes.

    Args:
        section: The recipe's section.
        rows: The training rows.
        lengths: Tokens of every sequence.
        seed: Of the rows' order.
        steps: Of the whole training.
    """
    totals = step_tokens(section, rows, seed, lengths)[:steps]
    largest = int(totals[totals <= section.tokens_per_pass].max(initial=0))
    batches = Batches.of(section, rows, seed)
    over = np.flatnonzero(totals > section.tokens_per_pass)
    fullness = totals[over] / np.ceil(totals[over] / section.tokens_per_pass)
    for step in over[np.argsort(-fullness)][:LOOKED_AT].tolist():
        sizes = [int(lengths[number]) for row in batches.at(step) for number in rows.numbers(row)]
        groups = split(sizes, section.tokens_per_pass)
        largest = max(largest, *(sum(sizes[index] for index in group) for group in groups))
    # Later epochs read the same rows in another order; a last, partial one is counted by its share of steps.
    total = round(int(totals.sum()) * max(1.0, steps / batches.per_epoch))
    return largest, total, float(totals[over].sum() / totals.sum())


def step_tokens(section: TuneSection, rows: Encoded, seed: int, lengths: np.ndarray | None = None) -> np.ndarray:
    """Tokens of each step of the first epoch; ``lengths`` of sequences where they are not those of the rows."""
    firsts = np.concatenate([[0], rows.parts["rows"][:-1]])
    row_tokens = np.add.reduceat(rows.lengths if lengths is None else lengths, firsts)
    order = Batches.of(section, rows, seed).order(0)
    found: np.ndarray = np.add.reduceat(row_tokens[order], np.arange(0, len(rows), section.batch))
    return found


def check_one_pass(section: TuneSection, rows: Encoded, lengths: np.ndarray, seed: int, steps: int) -> None:
    """Refuse to move weights in the backward pass where gradients of earlier passes would have to be kept after all.

    Raises:
        RecipeError: A step takes more than one pass; the message has the smallest passes and the largest batch that do.
    """
    batches = Batches.of(section, rows, seed)
    sizes = (
        [int(lengths[number]) for row in batches.at(step) for number in rows.numbers(row)] for step in range(steps)
    )
    # A sequence alone is one pass however long it is.
    largest = max((sum(step) for step in sizes if len(step) > 1), default=0)
    if largest <= section.tokens_per_pass:
        return
    row_tokens = [int(lengths[rows.numbers(row)].sum()) for row in range(len(rows))]
    longest_first = sorted(row_tokens, reverse=True)
    batch = int((np.cumsum(longest_first) <= section.tokens_per_pass).sum())
    asked = "tune.engine.step_in_backward" if section.engine.step_in_backward else "tune.method"
    raise RecipeError(
        f"{asked} needs every step to be one pass, and the largest step has {largest} tokens "
        f"where tune.tokens_per_pass is {section.tokens_per_pass}: gradients of earlier passes would be kept, and "
        "nothing saved",
        next_step=f"tune.tokens_per_pass: {largest}" + (f", or tune.batch: {batch}" if batch else ""),
    )
