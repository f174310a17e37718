"""What a reward model says of an answer: a run that was tuned with ``objective: reward``."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from sevenfold.chat.conversation import Conversation
from sevenfold.chat.encoder import TokenSequence
from sevenfold.errors import ModelError
from sevenfold.tune.rewards import Answered, Reward

if TYPE_CHECKING:
    from sevenfold.chat.encoder import Encoder
    from sevenfold.tune.engine.forward import Forward


class RewardModel(Reward):
    """The number that a reward model gives the answer, less ``middle`` and divided by ``scale``.

    It is a second network in memory. Its run has to stay where it is while this one trains.
    """

    main = "run"
    apart: ClassVar[bool] = False
    run: str = Field(description="The folder of a run whose objective was reward, for example runs/judge.")
    middle: float = Field(0.0, description="Taken off its numbers: what an answer of middling worth gets.")
    scale: float = Field(1.0, gt=0, description="Its numbers are divided by this.")

    def value(self, answered: Answered) -> float:
        """The reward."""
        import torch

        from sevenfold.tune.engine.passes import pack

        encoder, objective, forward = self.judge
        reply = {"role": "assistant", "content": answered.answer}
        messages = Conversation.of([*answered.prompt, reply]).messages
        ids = [*encoder.prompt(messages[:-1]), *encoder.reply(messages, len(messages) - 1)]
        sequence = TokenSequence(ids, [0.0] * (len(ids) - 1) + [1.0])
        with torch.no_grad():
            found = objective.outputs(forward, pack([sequence], objective.here).to(str(forward.device)))
        return (float(found[0]) - self.middle) / self.scale

    @cached_property
    def judge(self) -> tuple[Encoder, Any, Forward]:
        """The tokenizer, the objective and the tuned network.

        Raises:
            ModelError: The folder holds no such run.
        """
        import torch

        from sevenfold.load.model import Model
        from sevenfold.tune.engine.forward import Forward
        from sevenfold.tune.tuned import Tuned

        folder = Path(self.run)
        try:
            model, tuned = Model.open(folder / "2-load"), Tuned.open(folder / "4-tune")
        except (OSError, ValueError) as error:
            raise self.refusal(f"there is no tuned run in it: {error}") from None
        if "reward" not in tuned.objective:
            raise self.refusal(f"it was tuned with the objective {next(iter(tuned.objective))}")
        network = tuned.network(model, torch.float32)
        forward = Forward(network, torch.float32)
        forward.own = tuned.own(network, model)
        return model.encoder(tuned.lead(model)), tuned.chosen_objective(), forward

    def refusal(self, why: str) -> ModelError:
        """Why a folder cannot judge."""
        return ModelError(
            f"{self.run!r} cannot be a reward model: {why}",
            expected="the folder of a run of a recipe with tune.objective: reward",
            next_step="sevenfold tune RECIPE --set tune.objective=reward",
        )
