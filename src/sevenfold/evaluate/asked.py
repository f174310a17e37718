"""What both models are asked: the held-out rows, the general text, and what stands before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sevenfold.evaluate.groups import grouping
from sevenfold.evaluate.held_out import HeldOut, Question, held_out
from sevenfold.evaluate.measure import Work, plain_sequence, work_for
from sevenfold.evaluate.passages import passages
from sevenfold.evaluate.telling import note_rows

if TYPE_CHECKING:
    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.evaluate.section import EvaluateSection
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset
    from sevenfold.record import Entry
    from sevenfold.setup.environment import Environment
    from sevenfold.tune.tuned import Tuned


@dataclass(frozen=True)
class Asked:
    """What both models are asked.

    Args:
        chosen: The held-out rows, and which were left out why.
        work: What is wanted of each.
        lead: The tuned model's virtual tokens, which stand before what it reads.
    """

    chosen: HeldOut
    work: Work
    lead: Sequence[int]

    @property
    def questions(self) -> list[Question]:
        """The held-out rows as the base is asked."""
        return self.chosen.questions

    def works(self) -> dict[str, Work]:
        """What each model is asked."""
        return {"base": self.work, "tuned": self.work.led(self.lead)}


def asked(
    section: EvaluateSection, dataset: Dataset, model: Model, environment: Environment, tuned: Tuned, entry: Entry
) -> Asked:
    """Choose what is asked, and say it.

    Args:
        section: What is measured, on how many rows.
        dataset: Holds the held-out rows.
        model: The base, whose tokenizer and room decide what can be asked.
        environment: Holds the seed by which rows are drawn.
        tuned: Says how its objective asks, and what stands before its prompts.
        entry: Where to say it.
    """
    encoder, lead, objective = model.encoder(), tuned.lead(model), tuned.chosen_objective()
    # Both models are asked what fits behind the virtual tokens of one.
    room = model.card.context - len(lead)
    chosen = held_out(
        dataset,
        encoder,
        room,
        section.rows,
        environment.seed,
        tuned.task_of,
        grouping(section, tuned),
        objective.asked,
    )
    note_rows(chosen, section, entry)
    # Who answers with labels has no likelihood of a text.
    general = general_sequences(section, encoder, room, entry) if objective.writes else []
    if general and tuned.tasks():
        entry.note(f"general text is read by the adapter of the task {tuned.tasks()[0]!r}")
    return Asked(chosen, work_for(section, chosen.questions, general), lead)


def general_sequences(section: EvaluateSection, encoder: Encoder, context: int, entry: Entry) -> list[TokenSequence]:
    """The passages of the forgetting check that the models can read; what they cannot is counted."""
    sequences = [plain_sequence(text, encoder) for text in passages(section.general_text)]
    fitting = [sequence for sequence in sequences if 2 <= len(sequence) <= context]
    if len(fitting) < len(sequences):
        entry.warn(
            f"{len(sequences) - len(fitting)} of {len(sequences)} passages of general text left out: "
            f"fewer than 2 or more than {context} tokens"
        )
    return fitting
