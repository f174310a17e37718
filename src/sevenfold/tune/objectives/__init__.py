"""Objectives: what is asked of the outputs. One file each; its name is its name in the recipe."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from sevenfold.registry import Registry
from sevenfold.tune.objectives._answering import Answering

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from transformers import PreTrainedModel

    from sevenfold.chat.conversation import Conversation
    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset, Row
    from sevenfold.record import Entry
    from sevenfold.setup.environment import Environment
    from sevenfold.tune.encoded import Encoded
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.methods import Moment
    from sevenfold.tune.section import TuneSection

Figures = dict[str, float]


@dataclass(frozen=True)
class Collected:
    """What a step learns from.

    Args:
        updates: The sequences of each of its updates; most objectives make one.
        figures: What is worth watching of how they came about, a mean each (a reward, a length).
        notes: What the user has to know; the same one is said once.
    """

    updates: list[list[TokenSequence]]
    figures: Figures = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Extra:
    """What an objective's steps take beside one forward and backward pass over their rows; for the plan.

    Args:
        forwards: Times that a step's tokens go through the network without gradients.
        operations: Floating-point operations of a token in what stands beside the network (a teacher).
        answers: Answers that are drawn to each prompt and learnt in the place of the row's own; 0: none.
        answer_tokens: Tokens of such an answer, at most.
        repeats: Times that they are learnt from.
        head: Whether targets go through the network's head.
    """

    forwards: float = 0.0
    operations: float = 0.0
    answers: int = 0
    answer_tokens: int = 0
    repeats: int = 1
    head: bool = True


class Objective(Answering):
    """How a row becomes token sequences, and a pure loss on what the network says of their targets.

    A step is :meth:`collect`, then for each pass :meth:`outputs` and :meth:`loss`, divided by the sum of
    :meth:`weight` over the step's passes: however rows are laid into passes, the gradient is the same.
    """

    # What a row becomes.

    here: ClassVar[bool] = False
    """Whether a target is predicted from its own token's state; otherwise from the token before it."""
    targets: ClassVar[Literal["replies", "prompt", "text"]] = "replies"
    """What is learnt of a row. "replies": the tokens of :meth:`said`'s replies, each behind what a server would send to
    get it; "prompt": a label of what a server would send, which is the sequence; "text": anything else. The proofs
    mask and tokens check the first, tokens the second."""
    each: ClassVar[bool] = False
    """Whether each of a row's sequences is drawn by itself, as if it were a row; otherwise a step reads all of them."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Figures that :meth:`sequences` gives each token beside its weight, by name; float32."""
        return ()

    @abstractmethod
    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """The token sequences of one row, with the weight of every target.

        Raises:
            DataError: The row has not what the objective needs.
        """

    def parts(self, sequence: TokenSequence, limit: int, encoder: Encoder) -> list[TokenSequence]:
        """A sequence in parts that fit the limit; as it stands it is one, and ``tune.overlong`` decides.

        Args:
            sequence: One of :meth:`sequences`.
            limit: ``tune.max_length``.
            encoder: As of :meth:`sequences`.
        """
        return [sequence]

    def beside(self, sequences: list[TokenSequence], before: list[TokenSequence], limit: int) -> list[TokenSequence]:
        """A row's sequences with what they need of the row before it in its split; as it stands, nothing.

        Args:
            sequences: The row's, none longer than the limit.
            before: Those of the row before it, as this method gave them; none before the first.
            limit: ``tune.max_length``.
        """
        return sequences

    def said(self, row: Row) -> list[Conversation]:
        """Conversations whose replies the targets are, in the order of the texts of :meth:`sequences`.

        They are asked for where :attr:`targets` are replies.
        """
        return [row.conversation]

    def example(self, sequence: TokenSequence) -> TokenSequence:
        """A sequence as a step may see it, for proofs; where :meth:`collect` adds nothing, as it is."""
        return sequence

    # What is learnt of it.

    joint: ClassVar[bool] = False
    """Whether the loss is no sum over rows: it is computed once, over the outputs of all of a step's passes."""
    reference: ClassVar[bool] = False
    """Whether targets have a column ``reference``: their log-probabilities, nats, before the first step. The trainer
    computes them once."""
    language: ClassVar[bool] = False
    """Whether the loss is a negative log-likelihood per target, so that other texts can stand among the rows."""
    on_policy: ClassVar[bool] = False
    """Whether :meth:`collect` makes what is learnt; it is then given the rows themselves."""
    anew: ClassVar[bool] = False
    """Whether the tokens that are learnt of a row are others in each step, so that nothing of them is worth keeping."""

    def outputs(self, forward: Forward, batch: Pass) -> Tensor:
        """What the network says; its first dimension is that of targets or of texts, in their order.

        As it stands: the log-probability of each target, ``N``, float32, nats.
        """
        return forward(batch)

    @abstractmethod
    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """The loss, summed; a pure function of tensors.

        Args:
            outputs: What :meth:`outputs` gave; of all passes of the step one behind the other where :attr:`joint`.
            batch: The targets: labels, weights, columns, and the text that each is of.

        Returns:
            A scalar.
        """

    def weight(self, batch: Pass) -> float:
        """What a pass counts in the step; as it stands the sum of its targets' weights."""
        return batch.weight

    def figures(self, outputs: Tensor, batch: Pass) -> dict[str, Tensor]:
        """What is worth watching beside the loss, summed as the loss is; arguments as of :meth:`loss`, no gradients."""
        return {}

    def collect(self, forward: Forward, rows: Sequence[Row], sequences: list[TokenSequence], at: Moment) -> Collected:
        """What a step learns from; a function of the weights and the moment, so that a resumed run does the same.

        Args:
            forward: The network as it stands.
            rows: The step's rows; none where the objective is not :attr:`on_policy`.
            sequences: What :meth:`sequences` made of them; columns that are not the objective's must stay.
            at: Where the training stands.
        """
        return Collected([sequences])

    def validation(
        self, forward: Forward, rows: Sequence[Row], sequences: list[TokenSequence], budget: int
    ) -> tuple[float, Figures]:
        """What training is watched by, lower is better, and further figures; no gradients, no dropout.

        As it stands: the mean loss. ``budget`` is ``tokens_per_pass``.
        """
        from sevenfold.tune import accumulate
        from sevenfold.tune.engine.passes import passes

        return accumulate.mean(forward, self, passes(sequences, budget, self.here))

    # What stands beside the network, and what is done before and behind the training.

    def own(self, network: PreTrainedModel, model: Model) -> nn.Module | None:
        """What the objective has beside the network (a classifier, a value head, a teacher), on the CPU.

        What of it requires gradients is trained, saved beside the method's weights, and loaded again.
        """
        return None

    def beside_bytes(self, model: Model, dtype: torch.dtype) -> int:
        """Memory that :meth:`own` takes beside the network where it is of the network's size."""
        return 0

    def extra(self, model: Model) -> Extra:
        """What steps take beside a forward and a backward pass; what is :attr:`joint` goes through twice."""
        return Extra(forwards=1.0 if self.joint else 0.0, head=self.writes)

    def check(self, section: TuneSection) -> None:
        """Refuse what the rest of the recipe's section asks and this objective cannot do.

        Raises:
            RecipeError: The two have no meaning together.
        """

    def settled(self, dataset: Dataset) -> Objective:
        """The objective with what it takes from the training rows (labels, their counts, a scale); most take nothing.

        It is what trains, and what the tuned model's record holds.

        Raises:
            DataError: The rows have not what the objective needs.
        """
        return self

    def searched(self, model: Model, dataset: Dataset, environment: Environment, entry: Entry) -> Objective:
        """The objective with what it chooses by what the base says to training rows (a prompt's wording); most nothing.

        Args:
            model: The base model.
            dataset: The rows.
            environment: Device and precision.
            entry: Is told what was chosen.
        """
        return self

    def taught(self, dataset: Dataset, model: Model, environment: Environment, entry: Entry) -> Dataset:
        """The rows that are learnt from, where the objective has replies written anew; most take them as they are.

        Args:
            dataset: The rows.
            model: The model that learns; perhaps it names a teacher.
            environment: Device and precision.
            entry: The stage's folder, which keeps what was written.
        """
        return dataset

    def finished(self, forward: Forward, rows: Encoded, budget: int) -> None:
        """What is done once the best weights are in place, before they are saved; as it stands, nothing.

        Args:
            forward: The network with what the objective has beside it; no dropout.
            rows: The training rows.
            budget: ``tokens_per_pass``.
        """


OBJECTIVES = Registry[Objective](__name__, Objective)
