"""Which task a row is of: its own column says it, or the source it came from."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from sevenfold.errors import DataError
from sevenfold.prepare.dataset import Row


@dataclass(frozen=True)
class Routing:
    """From a row to the number of its task.

    Args:
        tasks: The tasks' names; a task's number is its place.
        column: The column that names a row's task.
        sources: Patterns of rows' origins, each with its task; they come before the column.
        answers: The number of the task whose adapter stands for all where no row says its task.
    """

    tasks: tuple[str, ...]
    column: str
    sources: tuple[tuple[str, str], ...] = ()
    answers: int = 0

    def task(self, row: Row) -> int:
        """The number of a row's task; with a single task, rows that say nothing are of it.

        Raises:
            DataError: The row names no task, or one that is not listed.
        """
        by_source = (task for pattern, task in self.sources if fnmatchcase(row.origin, pattern))
        named = next(by_source, row.fields.get(self.column))
        if named is None and len(self.tasks) == 1:
            return 0
        if named is None:
            raise DataError(
                f"a row has no column {self.column!r} that says its task",
                where=row.origin,
                value=self.column,
                alternatives=row.fields,
                next_step="tune.method.several.column: another column (prepare.keep keeps it), or "
                'tune.method.several.sources: {"*chat.jsonl*": chat}',
            )
        if named not in self.tasks:
            raise DataError(
                f"a row is of the task {named!r}, which has no adapter",
                where=row.origin,
                value=named,
                alternatives=self.tasks,
                next_step="add it to tune.method.several.tasks, or leave such rows out",
            )
        return self.tasks.index(named)
