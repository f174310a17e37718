"""Frozen bases by form: time to make a weight dense, a layer's forward and backward, and bytes; quantised.py [TOKENS].

One thread; the forms take turns, and each figure is the fastest of its turns.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from sevenfold import cores

cores.share()

import torch  # noqa: E402 (the thread policy above is read when torch is imported)
from torch import nn  # noqa: E402

from sevenfold.tune.engine import bases  # noqa: E402
from sevenfold.tune.engine.int8 import Int8Linear  # noqa: E402
from sevenfold.tune.engine.lora import LoraLinear  # noqa: E402
from sevenfold.tune.engine.nf4 import Nf4Linear  # noqa: E402

SHAPES, RANK, TURNS = [(576, 576), (1536, 576), (4096, 4096)], 16, 7
FORMS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "bf16": lambda layer: layer,
    "8 bits": Int8Linear,
    "NF4": lambda layer: Nf4Linear(layer, double_quantisation=False),
    "NF4, double": lambda layer: Nf4Linear(layer, double_quantisation=True),
}


def main(tokens: int) -> None:
    torch.set_num_threads(1)
    print(f"{tokens} tokens, rank {RANK}, bfloat16\n")
    print("| O x I | form | bytes | against bf16 | dense, ms | forward + backward, ms | against bf16 |")
    print("|---|---|---|---|---|---|---|")
    for shape in SHAPES:
        layers = {name: form(made(*shape)) for name, form in FORMS.items()}
        unpacking = fastest(
            {name: lambda layer=layer: bases.dense(layer, torch.bfloat16) for name, layer in layers.items()}
        )
        steps = fastest({name: step(layer, tokens) for name, layer in layers.items()})
        for name, layer in layers.items():
            size, whole = held(layer), held(layers["bf16"])
            print(
                f"| {shape[0]} x {shape[1]} | {name} | {size:,} | {size / whole:.3f} | {unpacking[name]:.3f} "
                f"| {steps[name]:.2f} | {steps[name] / steps['bf16']:.3f} |"
            )


def made(outputs: int, inputs: int) -> nn.Linear:
    """A frozen bfloat16 layer with normal weights."""
    torch.manual_seed(0)
    layer = nn.Linear(inputs, outputs, bias=False, dtype=torch.bfloat16).requires_grad_(False)
    nn.init.normal_(layer.weight, std=0.02)
    return layer


def held(layer: nn.Module) -> int:
    """Bytes of the weight in the form in which it is kept."""
    return sum(weight.nbytes for weight in layer.parameters())


def step(base: nn.Module, tokens: int) -> Callable[[], object]:
    """Forward and backward through the layer and a low-rank change beside it."""
    layer = LoraLinear(base, RANK, 1.0)
    inputs, outputs = bases.sizes(base)
    x = torch.randn(tokens, inputs, dtype=torch.bfloat16, requires_grad=True)
    upstream = torch.randn(tokens, outputs, dtype=torch.bfloat16)
    wanted = (x, layer.lora_A.weight, layer.lora_B.weight)
    return lambda: torch.autograd.grad(layer(x), wanted, upstream)


def fastest(contestants: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Milliseconds of each, the least of a few turns."""
    found = {name: float("inf") for name in contestants}
    for _ in range(TURNS):
        for name, call in contestants.items():
            call()
            started = time.perf_counter()
            call()
            found[name] = min(found[name], 1e3 * (time.perf_counter() - started))
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 1000)
