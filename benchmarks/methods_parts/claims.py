"""What papers claim of their methods, beside what our own code counts on networks of the papers' shapes.

The networks lie on torch's meta device: they have shapes and no values, so that one of 175 billion parameters is
counted in a second. What moves is set by the methods' own ``attach``, and the optimiser's bytes are those that the
methods plan with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from methods_parts.shapes import bert_large, gpt2_medium, gpt3, llama_7b, t5_xxl

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.load.model import Model

SQUARE = ["q_proj", "k_proj", "v_proj", "o_proj"]
DORA_TARGETS = ["q_proj", "k_proj", "v_proj", "up_proj", "down_proj"]
ADAMW_BYTES = 16
"""Bytes a parameter of full tuning with AdamW: weight, gradient and two moments in float32; or, as in LOMO's paper,
weight and gradient in 16 bits beside a float32 copy and two moments."""


@dataclass(frozen=True)
class Claim:
    """A claim beside our figure.

    Args:
        claim: What is claimed.
        source: The paper.
        theirs: Its figure.
        ours: Ours.
        how: How ours was found.
    """

    claim: str
    source: str
    theirs: str
    ours: str
    how: str


def counted(folder: Path) -> list[dict[str, str]]:
    """All claims that need no training.

    Args:
        folder: A loaded model, whose weights are quantised.
    """
    from sevenfold.load.model import Model

    model = Model.open(folder)
    found = [*lora(), *lora_fa(), *qlora(model), *kept_inputs(model), *dora(), *vera(), *lean(), *small()]
    return [asdict(claim) for claim in found]


def lora() -> Iterator[Claim]:
    """GPT-3's shape with LoRA of rank 4 on queries and values, of which the paper's abstract speaks."""
    network = gpt3()
    whole = parameters(network)
    trained = trainable(network, "lora", rank=4, targets=["q_proj", "v_proj"])
    source = "LoRA, Hu et al. 2021 (2106.09685)"
    how = f"counted: `lora` of rank 4 on queries and values of a network of GPT-3's shape, {trained:,} of {whole:,}"
    yield Claim(
        "GPT-3 moves so many times fewer parameters", source, "10,000 times", f"{whole / trained:,.0f} times", how
    )
    yield Claim(
        "the file of an adapter for GPT-3, 16 bits a number",
        source,
        "35 MB instead of 350 GB",
        f"{2 * trained / 2**20:.0f} MiB instead of {2 * whole / 1e9:.0f} GB",
        "counted: two bytes for each of the parameters above",
    )


def lora_fa() -> Iterator[Claim]:
    """Llama-7B's square layers, and all of its linear layers."""
    source = "LoRA-FA, Zhang et al. 2023 (2308.03303)"
    for layers, targets, theirs in (
        ("square layers", SQUARE, "half"),
        ("all linear layers", ["all-linear"], "about half"),
    ):
        both = [trainable(llama_7b(), name, targets=targets) for name in ("lora", "lora_fa")]
        yield Claim(
            f"of LoRA's parameters move, {layers}",
            source,
            theirs,
            f"{both[1] / both[0]:.3f}",
            f"counted: rank 16 on {layers} of Llama-7B's shape, {both[1]:,} of {both[0]:,}",
        )


def qlora(model: Model) -> Iterator[Claim]:
    """Bits of a weight, from the bytes of the tensors that hold the embedded model's layers."""
    for double, theirs in ((False, "4.5"), (True, "4.127")):
        bits, weights = nf4_bits(model, double)
        yield Claim(
            f"bits of a weight in NF4, {'with' if double else 'without'} double quantisation",
            "QLoRA, Dettmers et al. 2023 (2305.14314)",
            theirs,
            f"{bits:.3f}",
            f"measured: bytes of the tensors that hold the {weights:,} weights of the embedded model's linear layers",
        )


def nf4_bits(model: Model, double: bool) -> tuple[float, int]:
    """Bits a weight over all linear layers of a model, scales included, and how many weights these are."""
    import torch

    from sevenfold.tune.methods.qlora import Qlora, quantised

    network = model.network(torch.bfloat16)
    Qlora(double_quantisation=double).quantise(network)
    layers = quantised(network).values()
    weights = sum(layer.in_features * layer.out_features for layer in layers)
    return 8 * sum(part.nbytes for layer in layers for part in layer.packed()) / weights, weights


def kept_inputs(model: Model) -> Iterator[Claim]:
    """What the forward pass keeps for the backward pass."""
    ids = list(range(1000, 1256))
    kept = {name: kept_bytes(model, name, ids) for name in ("lora", "lora_fa")}
    yield Claim(
        "full-rank inputs of adapted layers are not kept for the backward pass",
        "LoRA-FA, Zhang et al. 2023 (2308.03303)",
        "the whole memory falls by up to 1.4 times",
        f"{kept['lora'] / kept['lora_fa']:.2f} times fewer bytes kept",
        f"measured: distinct tensors kept by one pass of 256 tokens, {kept['lora_fa'] / 1e6:,.0f} instead of "
        f"{kept['lora'] / 1e6:,.0f} MB (norms, attention and the activation keep theirs in both)",
    )


def kept_bytes(model: Model, name: str, ids: list[int]) -> int:
    """Bytes of the distinct tensors that a pass over some tokens keeps, parameters apart; bfloat16."""
    import torch

    from sevenfold.chat.encoder import TokenSequence
    from sevenfold.tune.engine.passes import pack
    from sevenfold.tune.stage import build

    forward = build(section_of(name), model, bfloat16())
    own = {weight.untyped_storage().data_ptr() for weight in forward.network.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        logprobs = forward(pack([TokenSequence(ids, [1.0] * len(ids))]))
    del logprobs
    return sum(kept.values())


def bfloat16() -> Any:
    """An environment on the processor, in bfloat16."""
    from sevenfold.setup.environment import Environment

    chosen = {"precision": "bfloat16", "reason": "benchmark", "seed": 17, "threads": 1}
    return Environment(device="cpu", deterministic=False, machine={}, **chosen)


def dora() -> Iterator[Claim]:
    """Llama-7B with the paper's ranks and layers."""
    source = "DoRA, Liu et al. 2024 (2402.09353)"
    for name, theirs in (("lora", "0.83 %"), ("dora", "0.84 %")):
        network = llama_7b()
        whole = parameters(network)
        trained = trainable(network, name, rank=32, targets=DORA_TARGETS)
        yield Claim(
            f"share of the parameters that move in Llama-7B, {name}",
            source,
            theirs,
            f"{trained / (whole + trained):.2%}".replace("%", " %"),
            f"counted: rank 32 on queries, keys, values, up and down, {trained:,} beside {whole:,}",
        )


def vera() -> Iterator[Claim]:
    """Llama-2-7B with vectors on all linear layers."""
    trained = trainable(llama_7b(), "vera", rank=256)
    yield Claim(
        "parameters that move in Llama-2-7B",
        "VeRA, Kopiczko et al. 2023 (2310.11454, first version)",
        "1.4 million",
        f"{trained:,}",
        "counted: rank 256 on all linear layers but the head, `R + O` a layer",
    )


def lean() -> Iterator[Claim]:
    """What full tuning's lean forms hold for a model of 7 billion parameters."""
    projected, plain = (optimizer_bytes(*method) for method in (("galore", {"rank": 1024}), ("full", {})))
    network = llama_7b()
    whole, largest = parameters(network), max(weight.numel() for weight in network.parameters())
    yield Claim(
        "less of the optimiser's state, 7 billion parameters",
        "GaLore, Zhao et al. 2024 (2403.03507)",
        "up to 65.5 %",
        f"{1 - projected / plain:.1%}".replace("%", " %"),
        f"counted: rank 1,024 on Llama-7B's shape, {projected / 1e9:.2f} instead of {plain / 1e9:.2f} GB in float32; "
        "embeddings and head by plain AdamW, as in the paper",
    )
    yield Claim(
        "memory of the standard approach",
        "LOMO, Lv et al. 2023 (2306.09782)",
        "10.8 %, activations included",
        f"{2 * (whole + largest) / (ADAMW_BYTES * whole):.1%}".replace("%", " %"),
        f"counted: weights of Llama-7B in 16 bits and its largest gradient, beside {ADAMW_BYTES} bytes a parameter; "
        f"the optimiser's state is {optimizer_bytes('lomo', {})} bytes",
    )


def small() -> Iterator[Claim]:
    """Methods whose point is how few parameters move."""
    network = bert_large()
    whole = parameters(network)
    bits = trainable(network, "bitfit")
    yield Claim(
        "biases' share of BERT-large",
        "BitFit, Ben Zaken et al. 2021 (2106.10199)",
        "0.08 %",
        percent(bits, whole),
        f"counted: {bits:,} of {whole:,}",
    )
    widths = {width: trainable(bert_large(), "adapter", width=width) for width in (8, 64, 256)}
    yield Claim(
        "parameters added to BERT-large for a task",
        "adapters, Houlsby et al. 2019 (1902.00751)",
        "3.6 %, the best width of 8, 64 and 256 for each task",
        ", ".join(f"{percent(count, whole)} ({width})" for width, count in widths.items()),
        "counted: two adapters a block; the paper moves norms too",
    )
    network = t5_xxl()
    whole, scaled = parameters(network), trainable(network, "ia3")
    yield Claim(
        "share of the parameters that move in T0-11B",
        "(IA)³, Liu et al. 2022 (2205.05638); the figure is PEFT's",
        "about 0.01 %",
        percent(scaled, whole),
        f"counted: {scaled:,} of {whole:,}, T5 1.1 XXL's shape",
    )
    prompted = trainable(llama_7b(), "prompt", tokens=5)
    yield Claim(
        "parameters a task at a width of 4,096, 5 tokens",
        "prompt tuning, Lester et al. 2021 (2104.08691)",
        "20,480",
        f"{prompted:,}",
        "counted: `prompt` of 5 tokens on Llama-7B's shape, which is as wide as T5 XXL",
    )
    network = gpt2_medium()
    whole, prefixed = parameters(network), trainable(network, "prefix", tokens=10)
    yield Claim(
        "share of the parameters that move",
        "prefix tuning, Li and Liang 2021 (2101.00190)",
        "0.1 %",
        percent(prefixed, whole),
        f"counted: a prefix of 10 on a network of GPT-2 medium's shape, {prefixed:,} of {whole:,}",
    )


def percent(part: int, whole: int) -> str:
    """A share with two digits that count."""
    return f"{100 * part / whole:.2g} %"


def parameters(network: PreTrainedModel) -> int:
    """All parameters of a network; tied ones count once."""
    return sum(weight.numel() for weight in network.parameters())


def section_of(name: str, **fields: Any) -> Any:
    """A section ``tune`` with a method."""
    from sevenfold.tune.section import TuneSection

    return TuneSection.model_validate({"method": {name: fields}})


def trainable(network: PreTrainedModel, name: str, **fields: Any) -> int:
    """How many parameters a method lets move."""
    method = section_of(name, **fields).method
    method.attach(network)
    return sum(weight.numel() for weight in method.trainable(network).values())


def optimizer_bytes(name: str, fields: dict[str, Any]) -> int:
    """Bytes of the optimiser's state for Llama-7B, as the method plans it."""
    import torch

    section, network = section_of(name, **fields), llama_7b()
    section.method.attach(network)
    return int(section.method.needs(section, network, torch.bfloat16).optimizer_bytes)
