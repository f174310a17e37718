"""One rung of the ladder: ladder_rung.py MODEL ROWS STEPS [PART ...].

A training step of the shared rows from which the named parts are switched on; without any it is the plain loop of
transformers and PEFT in float32 with padding. The parts are the engine's own.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from common import ALPHA, BATCH, RANK, RATE, Clock, same_start, sequences

from sevenfold import cores

MODEL, ROWS, STEPS, *PARTS = sys.argv[1:]
if "cores" in PARTS:
    cores.share()

import torch  # noqa: E402 (the thread policy above is read when torch is imported)
from torch import Tensor  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from sevenfold.load.section import LoadSection  # noqa: E402
from sevenfold.load.stage import load  # noqa: E402
from sevenfold.record import Entry  # noqa: E402
from sevenfold.tune.engine import documents  # noqa: E402
from sevenfold.tune.engine.head import target_logprobs  # noqa: E402
from sevenfold.tune.engine.lora import share_inputs  # noqa: E402
from sevenfold.tune.engine.passes import pack, passes  # noqa: E402
from sevenfold.tune.section import TuneSection  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch.nn import Module

    from sevenfold.chat.encoder import TokenSequence
    from sevenfold.load.model import Model


@dataclass
class Rows:
    """What goes through the network at once.

    Args:
        inputs: What the network's body is called with.
        labels: The target at each place, -100 where nothing is learnt, as transformers takes them.
        tokens: Real tokens.
    """

    inputs: dict[str, object]
    labels: Tensor
    tokens: int

    @property
    def targets(self) -> int:
        """How many tokens are learnt."""
        return int((self.labels >= 0).sum())


def padded(rows: Sequence[TokenSequence]) -> Rows:
    """One row a sequence, filled up to the longest."""
    shape = len(rows), max(map(len, rows))
    ids, mask = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    labels = torch.full(shape, -100)
    for place, row in enumerate(rows):
        here = place, slice(len(row))
        ids[here], mask[here] = torch.tensor(row.ids), 1
        labels[here] = torch.where(torch.tensor(row.weights) > 0, ids[here], -100)
    return Rows({"input_ids": ids, "attention_mask": mask}, labels, int(mask.sum()))


def packed(rows: Sequence[TokenSequence]) -> list[Rows]:
    """Rows side by side, in one pass or in several of 1,024 tokens."""
    found = []
    for part in passes(rows, TuneSection().tokens_per_pass) if "passes" in PARTS else [pack(rows)]:
        labels = torch.full_like(part.ids_1T, -100)
        labels[0, part.sources_N + 1] = part.labels_N
        inputs = {"input_ids": part.ids_1T, "position_ids": part.positions_1T}
        if "documents" in PARTS:
            inputs["document_bounds"] = part.bounds
        found.append(Rows(inputs, labels, part.tokens))
    return found


def build(model: Model) -> Module:
    """The network with adapters, PEFT's or ours, all from the same start."""
    if "short" not in PARTS:
        documents.LONGEST = 0
    dtype = torch.bfloat16 if "bf16" in PARTS else torch.float32
    network = model.network(dtype, documents.register() if "documents" in PARTS else "sdpa")
    if "lora" in PARTS:
        TuneSection.model_validate({"method": {"lora": {"rank": RANK, "alpha": ALPHA}}}).method.attach(network)
    else:
        network = with_peft(network)
    same_start(network)
    return network.train()


def with_peft(network: Module) -> Module:
    """PEFT's layers inside the network."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", lora_dropout=0.0, task_type="CAUSAL_LM")
    return get_peft_model(network, config).get_base_model()


def loss(network: Module, part: Rows, targets: int) -> Tensor:
    """The part's share of the mean loss per target of a whole step."""
    if "targets" not in PARTS:
        return network(**part.inputs, labels=part.labels, num_items_in_batch=targets, use_cache=False).loss
    hidden_BTD = network.base_model(**part.inputs, use_cache=False).last_hidden_state
    learnt = part.labels[:, 1:] >= 0
    hidden_ND, labels_N = hidden_BTD[:, :-1][learnt], part.labels[:, 1:][learnt]
    if "chunks" in PARTS:
        return -target_logprobs(hidden_ND, network.get_output_embeddings().weight, labels_N).sum() / targets
    return F.cross_entropy(network.get_output_embeddings()(hidden_ND).float(), labels_N, reduction="sum") / targets


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    model = load(LoadSection(model=MODEL), Entry(folder))
    network = build(model)
    # PEFT's adapters are float32 beside a base in bfloat16; ours cast what they read.
    mixed = "bf16" in PARTS and "lora" not in PARTS
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=RATE, fused=True)
    encoded = sequences(model, ROWS, int(STEPS))
    if "shared" in PARTS:
        first = packed(encoded[:1])[0] if "packed" in PARTS else padded(encoded[:1])
        share_inputs(network, lambda: network.base_model(**first.inputs, use_cache=False))
    clock = Clock(" ".join(PARTS) or "plain")
    for step in range(int(STEPS)):
        rows = encoded[step * BATCH : (step + 1) * BATCH]
        clock.start()
        parts = packed(rows) if "packed" in PARTS else [padded(rows)]
        targets, total = sum(part.targets for part in parts), 0.0
        for part in parts:
            with torch.autocast("cpu", dtype=torch.bfloat16) if mixed else nullcontext():
                share = loss(network, part, targets)
            share.backward()
            total += float(share.detach())
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        clock.stop(sum(part.tokens for part in parts), total)
    clock.report()


main()
