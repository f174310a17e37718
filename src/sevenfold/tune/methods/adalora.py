"""AdaLoRA: the rank of every layer is found while training (Zhang et al. 2023, arXiv 2303.10512)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from sevenfold.errors import RecipeError
from sevenfold.tune.methods import Moment
from sevenfold.tune.peft_method import LinearPeftMethod

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.moving import Mover
    from sevenfold.tune.engine.ranks import Budget
    from sevenfold.tune.section import TuneSection


class Adalora(LinearPeftMethod):
    r"""``y = W x + alpha / initial_rank * P diag(e) Q x``, a change in the form of a singular value decomposition.

    :math:`P_{OR}` and :math:`Q_{RI}` are drawn at random and kept near to orthogonal by a term in the gradient, e is
    zero at the start. All layers begin with ``initial_rank`` singular values. The budget of all layers together falls
    from there to ``target_rank`` a layer, with the cube of the time that is left, and every ``every`` steps the
    singular values with the lowest scores are set to zero. A score is ``|w dw|`` of the value and of its two vectors,
    averaged over steps, times how much that wavers. Layers that matter keep more.

    It costs 1.2 times LoRA's time, two more numbers for every weight that moves, and the choice. The loss that is
    shown is that of the rows alone. The file holds the kept triplets only. Use it where the file's size is bounded and
    some layers matter more. With ``tune.keep: best`` the ranks are those of the best step, which may be more than the
    target's; ``tune.keep: last`` has the target's. PEFT's layers; the choice is made as in the paper, with the weights
    that the gradients belong to (PEFT takes those behind the step), and keeps exactly the budget.
    """

    initial_rank: int = Field(12, ge=1, description="Singular values of every layer at the start.")
    target_rank: int = Field(8, ge=1, description="Singular values of a layer at the end, on average over all layers.")
    alpha: float = Field(32.0, gt=0, description="The change is scaled by alpha / initial_rank.")
    warmup: float = Field(0.1, ge=0, lt=1, description="Share of the steps before the budget begins to fall.")
    final: float = Field(0.3, ge=0, lt=1, description="Share of the steps at the end with the ranks found.")
    every: int = Field(10, ge=1, description="Steps between two choices.")
    beta1: float = Field(0.85, gt=0, lt=1, description="How slowly the average of the sensitivity follows.")
    beta2: float = Field(0.85, gt=0, lt=1, description="How slowly the average of its wavering follows.")
    orthogonality: float = Field(0.5, ge=0, description="Weight of the term that keeps P and Q near to orthogonal.")

    @model_validator(mode="after")
    def the_budget_can_fall(self) -> Adalora:
        """Refuse a target above the start, and a schedule without time for choosing."""
        if self.target_rank > self.initial_rank:
            raise ValueError(f"target_rank = {self.target_rank} is over initial_rank = {self.initial_rank}")
        if self.warmup + self.final >= 1:
            raise ValueError(f"warmup + final = {self.warmup + self.final:g} leaves no step for choosing; below 1")
        return self

    @property
    def kind(self) -> str:
        """PEFT's AdaLoRA."""
        return "ADALORA"

    def settings(self, network: PreTrainedModel) -> dict[str, Any]:
        """The fields of PEFT's AdaLoraConfig; it wants a number of steps, which only a training knows."""
        return {
            "init_r": self.initial_rank,
            "target_r": self.target_rank,
            "lora_alpha": self.alpha,
            "deltaT": self.every,
            "beta1": self.beta1,
            "beta2": self.beta2,
            "orth_reg_weight": self.orthogonality,
            "total_step": 1,
            "target_modules": self.target_names(network),
        }

    def attach(self, network: PreTrainedModel) -> None:
        """Freeze the base, put PEFT's layers in, and the memory that choosing needs."""
        from sevenfold.tune.engine import ranks

        super().attach(network)
        ranks.prepare(adapters(network))

    def state(self, network: PreTrainedModel) -> dict[str, torch.Tensor]:
        """The averages behind the scores, and which triplets are kept."""
        from sevenfold.tune.engine import ranks

        return ranks.state(adapters(network))

    def begin(self, network: PreTrainedModel, moment: Moment) -> None:
        """Put the training's length into PEFT's settings, which go into the file."""
        from sevenfold.tune import peft_bridge

        peft_bridge.settings(network).total_step = moment.total

    def budget(self, network: PreTrainedModel, moment: Moment) -> Budget:
        """The course of the budget over this training."""
        from sevenfold.tune.engine.ranks import Budget

        count, total = len(adapters(network)), moment.total
        ends = int(self.warmup * total), int(self.final * total)
        return Budget(count * self.initial_rank, count * self.target_rank, total, *ends, self.every)

    def before_move(self, network: PreTrainedModel, moment: Moment) -> None:
        """Add the term of orthogonality, and measure by the gradients what matters."""
        from sevenfold.tune.engine import ranks

        layers = adapters(network)
        ranks.add_orthogonality(layers, self.orthogonality)
        if moment.step < self.budget(network, moment).settled:
            ranks.measure(layers, self.beta1, self.beta2)

    def moved(self, network: PreTrainedModel, moment: Moment) -> None:
        """Choose where that is due, and set what is not kept to zero; behind the last choice after every step."""
        from sevenfold.tune.engine import ranks

        layers, budget, step = adapters(network), self.budget(network, moment), moment.step + 1
        if budget.is_due(step):
            ranks.choose(layers, budget.at(step))
        if budget.is_due(step) or step > budget.settled:
            ranks.drop(layers)

    def mover(self, forward: Forward, section: TuneSection, weights: Mapping[str, torch.nn.Parameter]) -> Mover:
        """As every method's; all gradients must exist at once.

        Raises:
            RecipeError: The recipe moves each weight in the backward pass.
        """
        if section.engine.step_in_backward:
            raise RecipeError(
                "adalora compares the gradients of all layers before a weight moves",
                where="tune.engine.step_in_backward",
                next_step="tune.engine.step_in_backward: false",
            )
        return super().mover(forward, section, weights)

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write the kept triplets as PEFT does: its ``rank_pattern`` says which of the first ranks they were."""
        from dataclasses import replace

        from sevenfold.tune import peft_bridge
        from sevenfold.tune.engine import ranks

        tensors, pattern = peft_bridge.tensors(network), {}
        for name, layer in adapters(network).items():
            kept = ranks.alive(layer).cpu()
            pattern[f"{name}.lora_E"] = kept.tolist()
            for part, rows in parts(name).items():
                tensors[part] = (tensors[part][kept] if rows else tensors[part][:, kept]).contiguous()
        config: Any = peft_bridge.settings(network)
        peft_bridge.write(tensors, replace(config, rank_pattern=pattern), folder, base)

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put the kept triplets into layers of the first rank; the others are zero and stay so."""
        import torch

        from sevenfold.tune import peft_bridge
        from sevenfold.tune.engine import ranks

        peft_bridge.require()
        config, found = peft_bridge.read(folder, self.kind)
        pattern, config.rank_pattern = config.rank_pattern or {}, None
        peft_bridge.put_in(network, config, str(folder))
        layers = adapters(network)
        ranks.prepare(layers)
        peft_bridge.check(network, folder, sorted(pattern.keys() ^ {f"{name}.lora_E" for name in layers}))
        for name, layer in layers.items():
            kept = torch.tensor(pattern[f"{name}.lora_E"])
            layer.kept.copy_(kept)
            for part, rows in parts(name).items():
                values = found[part]
                whole = values.new_zeros((len(kept), values.shape[1]) if rows else (len(values), len(kept)))
                whole[kept if rows else (slice(None), kept)] = values
                found[part] = whole
        peft_bridge.fill(network, found, folder)


def parts(name: str) -> dict[str, bool]:
    """The names of a layer's three tensors in the file, and whether the rank is the first of their sizes."""
    from sevenfold.tune.peft_bridge import PREFIX

    return {f"{PREFIX}{name}.lora_A": True, f"{PREFIX}{name}.lora_E": True, f"{PREFIX}{name}.lora_B": False}


def adapters(network: PreTrainedModel) -> dict[str, Any]:
    """The adapted layers of a network by name."""
    from peft.tuners.adalora.layer import AdaLoraLayer

    return {name: part for name, part in network.named_modules() if isinstance(part, AdaLoraLayer)}
