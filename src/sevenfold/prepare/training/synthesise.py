"""New rows that a model writes after the example of those that are there, each judged before it enters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterator
from typing import Annotated

from pydantic import Field

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.console import Task
from sevenfold.errors import DataError
from sevenfold.findings import Chart, Findings
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.making.endpoint import Asking, Endpoint
from sevenfold.prepare.making.filters import Filters, Sieve
from sevenfold.prepare.making.judging import Bench, Judging
from sevenfold.prepare.making.refusals import Refusals, refusals
from sevenfold.prepare.naming import REPLY, known_names, value_of
from sevenfold.prepare.shelf import Shelf
from sevenfold.prepare.synthesis import SYNTHESISERS, Draft, Order, Synthesiser, usable
from sevenfold.prepare.training import Change
from sevenfold.prepare.work import Work
from sevenfold.schema import Chosen

SYNTHETIC, WAY = "synthetic", "made_with"
"""Columns of a made row: that it is one, and by which way."""
BARS = 10


def default_how() -> Synthesiser:
    """Several rows in one request."""
    return SYNTHESISERS.find("one_prompt")()


class Synthesise(Change):
    """Rows that a model writes after examples; what is refused is counted and kept, as is every answer of the model.

    A row enters if it can be read, has the language and length asked for, holds no personal data, is no near-duplicate
    of a row that is there, has no words of held-out rows, and a judge finds it right and relevant. Examples are rows
    with one question and its reply. Their texts are sent to the address. About 500 bytes a row in memory.
    """

    how: Annotated[Synthesiser, Chosen(SYNTHESISERS)] = Field(
        default_factory=default_how,
        description="one_prompt: several rows a request; refine: plan, write, criticise, rewrite.",
    )
    endpoint: Endpoint = Field(description="The model that writes.")
    judge: Judging | None = Field(
        default_factory=Judging, description="Who judges before a row enters; null: nobody, which is said."
    )
    filters: Filters = Field(default_factory=Filters, description="What a row has to pass before it is judged.")
    count: int = Field(100, ge=1, description="Rows that are to enter.")
    rounds: int = Field(100, ge=1, description="Rounds at most: requests of one_prompt, plans of refine.")
    examples: int = Field(3, ge=1, le=50, description="Rows that a round is shown.")
    about: str = Field("", description="What the task is, in words, for the model.")
    by: str | None = Field(
        None, description="A column, or reply: a round is of one of its values, which take turns and the new rows get."
    )

    def rows(self, shelf: Shelf, work: Work) -> Generator[Row, None, Findings]:
        """Every row, and behind them those that enter."""
        groups = self.grouped(shelf)
        yield from shelf
        asking = Asking(self.endpoint, work)
        bench = Bench(self.judge, asking, self.drawn(shelf, groups, work, "judge")) if self.judge else None
        sieve = Sieve(self.filters, shelf, work)
        if bench is None:
            work.warn(f"{work.name}: no judge looks at what the model writes; read a sample of it")
        with refusals(work) as refused, work.console.task(f"{work.name} (rows)", self.count) as task:
            done = 0
            while work.made < self.count and done < self.rounds:
                order = self.order(done, shelf, groups, work)
                yield from self.round(order, asking, sieve, bench, refused, work, task)
                done += 1
        return self.findings(done, asking, bench, refused, work)

    def grouped(self, shelf: Shelf) -> dict[str, list[int]]:
        """The numbers of the rows that can be examples, by their label.

        Raises:
            DataError: There are none.
        """
        found: dict[str, list[int]] = defaultdict(list)
        for number, row in enumerate(shelf):
            label = value_of(row, self.by) if self.by else ""
            if usable(row) and (label or not self.by):
                found[label].append(number)
        if not found:
            raise DataError(
                "no training row can be an example" + (f" with a value in {self.by!r}" if self.by else ""),
                where="prepare.training: synthesise",
                expected="rows with one question and one reply",
                alternatives=known_names(shelf.row(0)) if self.by else (),
            )
        return dict(sorted(found.items()))

    def drawn(self, shelf: Shelf, groups: dict[str, list[int]], work: Work, *parts: str) -> list[Row]:
        """Some rows by chance."""
        numbers = [number for group in groups.values() for number in group]
        return [shelf.row(place) for place in work.random(*parts).sample(numbers, min(self.examples, len(numbers)))]

    def order(self, number: int, shelf: Shelf, groups: dict[str, list[int]], work: Work) -> Order:
        """What a round is to give."""
        label = list(groups)[number % len(groups)]
        examples = self.drawn(shelf, {label: groups[label]}, work, "examples", str(number))
        return Order(number, examples, self.about, label)

    def round(
        self, order: Order, asking: Asking, sieve: Sieve, bench: Bench | None, refused: Refusals, work: Work, task: Task
    ) -> Iterator[Row]:
        """The rows of a round that enter, each as it is found good."""
        for draft in self.how.drafts(asking, order):
            if draft.unreadable:
                refused.add("unreadable", draft.unreadable, order.examples)
                continue
            row = self.row(draft, order)
            reason, detail = self.looked_at(row, order, sieve, bench)
            if reason:
                refused.add(reason, row.conversation, order.examples, detail)
                continue
            made = work.make(row.conversation, order.examples, row.fields)
            sieve.add(made)
            task.advance(1, f"{refused.reasons.total()} refused, {asking.asked} requests")
            yield made
            if work.made == self.count:
                return

    def row(self, draft: Draft, order: Order) -> Row:
        """A draft as a row: below the examples' system prompt, and with the label of the round."""
        above = [turn for turn in order.examples[0].conversation.messages if turn.role == "system"]
        turns = (*above, Message("user", draft.prompt), Message("assistant", draft.reply))
        label = {self.by: order.label} if self.by and self.by != REPLY else {}
        return Row(Conversation(turns), "", {**label, SYNTHETIC: "true", WAY: SYNTHESISERS.name_of(self.how)})

    def looked_at(self, row: Row, order: Order, sieve: Sieve, bench: Bench | None) -> tuple[str, str]:
        """Why a row may not enter, with what was found; empty: it may."""
        if self.by == REPLY and row.conversation.reference() != order.label:
            return "other_label", row.conversation.reference()[:80]
        reason, detail = sieve.reason(row, list(order.examples))
        return (reason, detail) if reason or bench is None else bench.reason(row.conversation)

    def findings(self, done: int, asking: Asking, bench: Bench | None, refused: Refusals, work: Work) -> Findings:
        """What was made, refused, and asked."""
        total = work.made + refused.reasons.total()
        said = (
            f"{work.made:,} new rows entered of {total:,} that the model wrote in {done:,} rounds; "
            f"{refused.reasons.total():,} were refused."
        )
        figures = {
            "made": work.made,
            "written": total,
            "refused": dict(refused.reasons),
            "rounds": done,
            "requests": asking.asked,
            "answers_kept_from_before": asking.reused,
            "tokens": asking.tokens,
        }
        scores = bench.scores if bench else {}
        charts = [scored(name, values) for name, values in scores.items() if values]
        advice = [f"Read a sample of the made rows and of refused-{work.name}.jsonl before you train."]
        if work.made < self.count:
            advice.append(f"{self.count} rows were asked for: allow more rounds, or take a more able model.")
        if bench and self.judge and not (self.judge.model or self.judge.address):
            advice.append("The model judged its own rows; a judge of another make is stricter.")
        return Findings("Synthetic rows", said, figures, [refused.table()], charts, advice)


def scored(name: str, values: list[float]) -> Chart:
    """A judge's scores."""
    edges = [place / BARS for place in range(BARS + 1)]
    bars = [0.0] * BARS
    for value in values:
        bars[min(BARS - 1, int(value * BARS))] += 1
    says = f"The judge gave {len(values)} rows {sum(values) / len(values):.2f} on average for {name}."
    return Chart("histogram", f"rows by the judge's score for {name} (0 to 1)", edges, bars, says)
