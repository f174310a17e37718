"""What objectives that draw answers have beside the network: judges, the tokenizer, a reference, a value head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import nn

from sevenfold.tune.engine.policy import Start
from sevenfold.tune.rewarding import Judges
from sevenfold.tune.rewards import Answered, Reward

if TYPE_CHECKING:
    from sevenfold.chat.encoder import Encoder
    from sevenfold.prepare.dataset import Row


class Beside(nn.Module):
    """Judges of answers, and the reference policy.

    Args:
        rewards: What answers are judged by.
        encoder: Turns ids into text.
        network: Where a reference is wanted, the network before its first step.
        decay: Of the reference's moving average; None: it stays.
    """

    def __init__(
        self, rewards: Sequence[Reward], encoder: Encoder, network: nn.Module | None, decay: float | None
    ) -> None:
        super().__init__()
        self.judges, self.encoder = Judges(rewards), encoder
        self.start = Start(network, decay) if network is not None else None

    def follow(self, network: nn.Module) -> None:
        """Let the reference follow the weights, where it does."""
        if self.start is not None:
            self.start.follow(network)

    def answered(self, row: Row, ids: list[int]) -> Answered:
        """What rewards see of an answer to a row's prompt."""
        ended = ids[-1] in self.encoder.stop_ids
        text = self.encoder.decode(ids[:-1] if ended else ids, skip_special=True)
        prompt = tuple(message.as_dict() for message in row.conversation.prompt())
        return Answered(prompt, text, row.conversation.reference(), dict(row.fields), len(ids), ended)


class WithValue(Beside):
    """With a head that says what reward is still to come, from a token's state.

    It begins at zero, so that it shifts no advantage before it has learnt anything.
    """

    def __init__(
        self, rewards: Sequence[Reward], encoder: Encoder, network: nn.Module | None, decay: float | None, hidden: int
    ) -> None:
        super().__init__(rewards, encoder, network, decay)
        self.value = nn.Linear(hidden, 1)
        nn.init.zeros_(self.value.weight)
        nn.init.zeros_(self.value.bias)
