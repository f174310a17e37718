"""Several LoRA adapters, one a task, trained side by side in one pass over the base."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, field_validator, model_validator

from sevenfold.tune.adapter_file import PEFT_PREFIX, put
from sevenfold.tune.methods import Method
from sevenfold.tune.methods.lora import Lora, adapters, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.moving import Mover
    from sevenfold.tune.engine.several import SeveralLinear
    from sevenfold.tune.section import TuneSection
    from sevenfold.tune.several.routing import Routing


class Several(Method):
    r"""``y = W x + scale * B_t A_t x`` for a token of task t: every row learns into the adapter of its own task.

    Rows of a pass are laid together by task; the base multiplies all of them at once and each task's own pair its own
    stretch (LoRA: Hu et al. 2021, arXiv 2106.09685; several trained in one batch: Ye et al. 2023, arXiv
    2312.02515). A token costs what it costs with one adapter, and the base lies in memory once.

    An adapter moves in the steps that have rows of its task, and its gradient is what its rows alone would give,
    divided by the step's targets of all tasks. ``weights/`` has a PEFT folder a task, and at its top, as PEFT saves
    several adapters, the one that answers where no row says its task.
    """

    adapter: ClassVar[bool] = True
    tasks: list[str] = Field(
        default=["main"], min_length=1, description="The tasks, one adapter each: letters, digits, _ and -."
    )
    column: str = Field("task", description="The column that names a row's task.")
    sources: dict[str, str] = Field(
        default={},
        description='Tasks by where rows come from, before the column: {"*chat.jsonl*": chat}; * stands for anything.',
    )
    answers: str | None = Field(
        None, description="The task whose adapter is exported, merged and evaluated; not given: the first."
    )
    rank: int = Field(16, ge=1, description="Rank of each change.")
    alpha: float = Field(32.0, gt=0, description="Each change is scaled by alpha / rank.")
    targets: list[str] = Field(
        default=["all-linear"], description="Last parts of the names of linear layers; all-linear: all but the head."
    )
    rank_stabilized: bool = Field(False, description="Scale by alpha / sqrt(rank) instead (rsLoRA).")
    same_start: bool = Field(
        True, description="All adapters begin with the same A, so that their parameters can be averaged later."
    )

    @field_validator("tasks")
    @classmethod
    def names(cls, tasks: list[str]) -> list[str]:
        """Refuse names that are no names of a folder and of a module, and names that come twice."""
        for task in tasks:
            if not task.replace("_", "").replace("-", "").isalnum() or tasks.count(task) > 1:
                raise ValueError(f"{task!r} is empty, comes twice, or has more than letters, digits, _ and -")
        return tasks

    @model_validator(mode="after")
    def known(self) -> Several:
        """Refuse tasks that are not listed."""
        for where, task in [
            ("answers", self.answers or self.tasks[0]),
            *(("sources", t) for t in self.sources.values()),
        ]:
            if task not in self.tasks:
                raise ValueError(f"{where} names {task!r}, which is not among the tasks {', '.join(self.tasks)}")
        return self

    @property
    def answering(self) -> str:
        """The task whose adapter answers where no row says its task."""
        return self.answers or self.tasks[0]

    @property
    def one(self) -> Lora:
        """The method of one adapter of these."""
        return Lora(rank=self.rank, alpha=self.alpha, targets=self.targets, rank_stabilized=self.rank_stabilized)

    def routing(self) -> Routing:
        """Which task a row is of."""
        from sevenfold.tune.several.routing import Routing

        answers = self.tasks.index(self.answering)
        return Routing(tuple(self.tasks), self.column, tuple(self.sources.items()), answers)

    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """The run's precision: frozen weights need no more."""
        return precision

    def attach(self, network: PreTrainedModel) -> None:
        """Freeze the base and put a trainable pair a task beside each target."""
        network.requires_grad_(False)
        for name in self.one.target_names(network):
            self.wrap(network, name)
        self.select(network, self.answering)

    def wrap(self, network: PreTrainedModel, name: str) -> SeveralLinear:
        """Put an adapted layer in the place of a plain one."""
        from sevenfold.tune.engine.several import SeveralLinear

        layer = SeveralLinear(network.get_submodule(name), self.rank, self.one.scale, self.tasks, self.same_start)
        replace(network, name, layer)
        return layer

    def select(self, network: PreTrainedModel, task: str) -> None:
        """Let a network answer with one task's adapter."""
        from sevenfold.tune.engine.several import answer_as

        answer_as(network, task)

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write a PEFT folder a task, and the answering task's at the top."""
        from sevenfold.tune.several import files

        config = self.one.peft_config(network, base)
        for task in self.tasks:
            tensors = {
                f"{PEFT_PREFIX}{name}.lora_{side}.weight": weight.detach()
                for name, layer in several(network).items()
                for side, weight in zip("AB", layer.pair(task), strict=True)
            }
            for place in [folder / task, *([folder] if task == self.answering else [])]:
                files.write(place, tensors, config)

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put all tasks' saved pairs beside the layers they belong to."""
        from sevenfold.tune.several.files import LoraFile

        network.requires_grad_(False)
        saved = {task: LoraFile(folder / task) for task in self.tasks}
        for name in saved[self.tasks[0]].names:
            layer = self.wrap(network, name)
            for task, file in saved.items():
                pair = file.pair(name)
                assert pair is not None
                for weight, kept in zip(layer.pair(task), (pair.down_RI, pair.up_OR), strict=True):
                    put(weight, kept)
        self.select(network, self.answering)

    def merge(self, network: PreTrainedModel) -> None:
        """Replace every adapted layer by a plain one with the answering task's change."""
        for name, layer in adapters(network).items():
            replace(network, name, layer.merged())

    def unload(self, network: PreTrainedModel) -> None:
        """Put every adapted layer's base back in its place."""
        for name, layer in adapters(network).items():
            replace(network, name, layer.base_layer)

    def notes(self, network: PreTrainedModel) -> list[str]:
        """Which adapter answers where no row says its task."""
        if len(self.tasks) == 1:
            return []
        return [f"{len(self.tasks)} adapters are trained side by side; {self.answering!r} is the one that is exported"]

    def mover(self, forward: Forward, section: TuneSection, weights: Mapping[str, torch.nn.Parameter]) -> Mover:
        """As other methods; several tasks need a network that reads documents side by side.

        Raises:
            ModelError: The network reads them otherwise.
        """
        from sevenfold.errors import ModelError

        if len(self.tasks) > 1 and forward.layout.name not in ("documents", "one mask"):
            raise ModelError(
                f"{type(forward.network).__name__} reads documents as {forward.layout.name!r}, where rows of several "
                "tasks cannot be told apart",
                next_step="train one adapter at a time: tune.method: lora, with the rows of one task",
            )
        return super().mover(forward, section, weights)


def several(network: PreTrainedModel) -> dict[str, SeveralLinear]:
    """The layers with several adapters, by name."""
    from sevenfold.tune.engine.several import SeveralLinear

    return {name: part for name, part in network.named_modules() if isinstance(part, SeveralLinear)}
