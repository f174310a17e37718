"""What a person sees while the work runs: progress with time left, tables, plain lines where there is no terminal.

Everything here goes to standard error; standard output belongs to the one object of ``--json``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console as Terminal
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table


class Task:
    """One running piece of work: advance it and say how it goes.

    Without a terminal it prints a line about every tenth of the way instead of a bar.
    """

    def __init__(self, console: Console, title: str, total: int, progress: Progress | None) -> None:
        self.console, self.title, self.total, self.progress = console, title, total, progress
        self.done = 0
        self.printed = 0.0
        self.handle = progress.add_task(title, total=total, note="") if progress else None

    def advance(self, amount: int = 1, note: str = "") -> None:
        """``amount`` more units of ``total`` are done; ``note`` stands beside the bar (loss, speed)."""
        self.done += amount
        if self.progress is not None and self.handle is not None:
            self.progress.update(self.handle, advance=amount, note=note)
            return
        share = self.done / max(self.total, 1)
        if share - self.printed >= 0.1 or (self.done >= self.total and self.printed < 1):
            self.printed = share
            self.console.say(f"{self.title}: {self.done}/{self.total} {note}".rstrip())


class Console:
    """Where progress, notes and tables go.

    Args:
        quiet: Say nothing but errors.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.terminal = Terminal(stderr=True, highlight=False, quiet=quiet)

    def say(self, text: str, style: str | None = None) -> None:
        """One line, as it is: square brackets are text, not mark-up."""
        self.terminal.print(text, style=style, markup=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """One line that asks for the user's attention."""
        self.say(f"warning: {text}", style="yellow")

    def heading(self, text: str) -> None:
        """The start of a stage."""
        self.say(f"\n{text}", style="bold")

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """A table; every cell is shown as ``str`` gives it."""
        table = Table(title=title, title_justify="left", title_style="bold")
        for index, column in enumerate(columns):
            table.add_column(column, justify="left" if index == 0 else "right")
        for row in rows:
            table.add_row(*(str(cell) for cell in row))
        self.terminal.print(table)

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Task]:
        """A piece of work of ``total`` units with a bar, elapsed time and time left."""
        if self.quiet or not self.terminal.is_terminal:
            yield Task(self, title, total, None)
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
        )
        times = (
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, *times, console=self.terminal) as progress:
            yield Task(self, title, total, progress)
