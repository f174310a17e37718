"""Claims of papers for which the speed of methods, or a comparison, has the figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from methods_parts.claims import Claim
from methods_parts.quality import TASKS, forgotten, rate
from methods_parts.speed import Rows, measured, versus
from sevenfold.report.words import size

Figures = dict[str, Any]
HOW = "measured: the embedded model, the table of speeds"
HFT = "HFT, Hui et al. 2024 (2404.18466)"


def claims(kept: Figures) -> Iterator[Claim]:
    """Every claim whose figures are there."""
    rows = measured(kept)
    yield from (claim(rows) for needed, claim in OF_SPEED if set(needed) <= rows.keys())
    for name, task in TASKS.items():
        if name in kept.get("quality", {}):
            yield from of_comparison(kept["quality"][name], task)


def lora(rows: Rows) -> Claim:
    """Memory beside full tuning's."""
    return Claim(
        "times less memory than full tuning with Adam",
        "LoRA, Hu et al. 2021 (2106.09685)",
        "3 times (GPT-3)",
        f"{1 / rows['lora']['memory']:.1f} times",
        f"{HOW}; 135 million parameters, the interpreter included",
    )


def dora(rows: Rows) -> Claim:
    """Time and memory beside LoRA's."""
    time, memory = versus(rows, "dora", "lora")
    return Claim(
        "what a step costs beside LoRA's",
        "DoRA, Liu et al. 2024 (2402.09353)",
        "none; lengths are constants in the gradient to save memory",
        f"{time:.2f} times the time, {memory:.2f} times the memory",
        HOW,
    )


def lora_fa(rows: Rows) -> Claim:
    """The whole memory beside LoRA's."""
    time, memory = versus(rows, "lora_fa", "lora")
    return Claim(
        "the whole memory beside LoRA's",
        "LoRA-FA, Zhang et al. 2023 (2308.03303)",
        "up to 1.4 times less",
        f"{1 / memory:.2f} times less, {time:.2f} times the time",
        f"{HOW}; passes of 1,024 tokens keep few activations",
    )


def mezo(rows: Rows) -> Claim:
    """Memory beside that of passes forward."""
    tuned, read = rows["mezo"], rows["reading"]
    own = (tuned["peak_bytes"] - tuned["idle_bytes"]) / (read["peak_bytes"] - read["idle_bytes"])
    return Claim(
        "memory beside that of inference",
        "MeZO, Malladi et al. 2023 (2305.17333)",
        "the same",
        f"{tuned['peak_bytes'] / read['peak_bytes']:.3f} times; {own:.3f} times without the interpreter's",
        "measured: the peak of its steps, and that of forward passes alone over the same rows and float32 weights",
    )


def mezo_full(rows: Rows) -> Claim:
    """Memory beside full tuning's."""
    return Claim(
        "times less memory than full tuning",
        "MeZO, Malladi et al. 2023 (2305.17333)",
        "up to 12 times",
        f"{1 / rows['mezo']['memory']:.1f} times",
        f"{HOW}: no gradients, no moments, no activations; passes here keep few activations in full tuning too",
    )


def lomo(rows: Rows) -> Claim:
    """The optimiser's state."""
    memory = versus(rows, "lomo", "full, one pass")[1]
    return Claim(
        "bytes of the optimiser's state",
        "LOMO, Lv et al. 2023 (2306.09782)",
        "0",
        f"{rows['lomo']['optimizer_bytes']:,}",
        f"measured: the optimiser's own tensors; its peak is {memory:.2f} of that of `full` in one pass",
    )


def galore(rows: Rows) -> Claim:
    """The optimiser's state of a small model."""
    state, plain = rows["galore"]["optimizer_bytes"], rows["full"]["optimizer_bytes"]
    return Claim(
        "less of the optimiser's state, a small model",
        "GaLore, Zhao et al. 2024 (2403.03507)",
        "up to 65.5 % (7 billion parameters)",
        f"{100 * (1 - state / plain):.1f} %",
        f"measured: the optimisers' own tensors, {size(state)} beside {size(plain)}; rank 16, embeddings not projected",
    )


def dylora(rows: Rows) -> Claim:
    """One training instead of one for each rank."""
    time = versus(rows, "dylora", "lora")[0]
    return Claim(
        "times faster than a LoRA for each rank",
        "DyLoRA, Valipour et al. 2022 (2210.07558)",
        "4 to 7 times",
        f"{5 / time:.1f} times for 5 ranks",
        f"{HOW}: a step takes {time:.2f} times LoRA's, and one training serves all ranks",
    )


def hft(rows: Rows) -> Claim:
    """Time beside full tuning's."""
    return half_time(1 / rows["hft"]["faster"], HOW)


OF_SPEED: list[tuple[tuple[str, ...], Callable[[Rows], Claim]]] = [
    (("lora",), lora),
    (("dora", "lora"), dora),
    (("lora_fa", "lora"), lora_fa),
    (("mezo", "reading"), mezo),
    (("mezo",), mezo_full),
    (("lomo", "full, one pass"), lomo),
    (("galore",), galore),
    (("dylora", "lora"), dylora),
    (("hft",), hft),
]
"""Claims by the methods whose figures they need."""


def half_time(time: float, how: str) -> Claim:
    """The claim of half fine-tuning's time, which is a share of full tuning's."""
    return Claim("less time than full tuning", HFT, "about 30 %", f"{100 * (1 - time):.0f} %", how)


def of_comparison(told: Figures, task: str) -> Iterator[Claim]:
    """Claims that need whole trainings."""
    done = {one["name"]: one for one in told["variants"] if one["state"] == "done"}
    if not {"hft", "full"} <= done.keys():
        return
    half, full = done["hft"], done["full"]
    yield half_time(half["seconds"] / full["seconds"], f"measured: training on {task}, the comparison")
    if half.get("forgetting") and full.get("forgetting"):
        yield Claim(
            f"less is forgotten than by full tuning, {task}",
            HFT,
            "significantly less",
            f"{forgotten(half)}; `full`: {forgotten(full)}",
            "measured: the rise of the loss of general text, nats per token, with its interval; each at its own "
            f"learning rate ({rate(half)}; `full`: {rate(full)})",
        )
