"""In several processes on this machine."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import Field

from sevenfold.errors import MachineError
from sevenfold.prepare.places import Crew, Job, Place
from sevenfold.prepare.places._rounds import Rounds, Worker, only_here, own_code
from sevenfold.prepare.places.here import Alone


class Processes(Place):
    """Several processes share the work; a few thousand rows are done by one, which starts no others."""

    main = "number"
    number: int | None = Field(None, ge=1, description="Processes beside the one that reads; not given: one a core.")

    @contextmanager
    def crew(self, needed: list[object]) -> Iterator[Crew]:
        """The processes, which are started when there is enough to do."""
        number = self.number or cores()
        if number == 1 or only_here(needed):
            yield Alone()
            return
        crew = Crowd(number, own_code(needed))
        try:
            yield crew
        finally:
            crew.dismiss()


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Crowd(Rounds):
    """Processes of this machine."""

    def __init__(self, number: int, files: list[tuple[str, str]]) -> None:
        super().__init__()
        self.number, self.files = number, files
        self.hired: list[Process] = []

    def hire(self) -> Sequence[Worker]:
        """Start them all."""
        for _ in range(self.number):
            self.hired.append(Process(self.files))
        return self.hired

    def dismiss(self) -> None:
        """End them all, whatever they do."""
        for process in self.hired:
            process.end()


class Process(Worker):
    """One worker process."""

    def __init__(self, files: list[tuple[str, str]]) -> None:
        self.files = files
        command = [sys.executable, "-m", "sevenfold.prepare.places._worker"]
        # One thread each: the processes are the parallelism.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)

    def begin(self, job: Job) -> None:
        """Send the job."""
        self.send(("job", (self.files, pickle.dumps(job, protocol=5))))

    def give(self, piece: Any) -> None:
        """Send a piece."""
        # Pickled twice: what a user's class needs is unpickled after its file is loaded.
        self.send(("piece", pickle.dumps(piece, protocol=5)))

    def take(self) -> Any:
        """Read a result."""
        assert self.process.stdout is not None
        try:
            kind, found = pickle.load(self.process.stdout)  # noqa: S301 - written by a process that was started here
        except (EOFError, OSError, pickle.UnpicklingError):
            raise self.ended() from None
        if kind == "failed":
            raise found
        return found

    def send(self, message: tuple[str, Any]) -> None:
        """Write a message."""
        assert self.process.stdin is not None
        try:
            pickle.dump(message, self.process.stdin, protocol=5)
            self.process.stdin.flush()
        except OSError:
            raise self.ended() from None

    def ended(self) -> MachineError:
        """The error for a process that is no more."""
        code = self.process.wait()
        why = f"killed by signal {-code}" if code < 0 else f"exit status {code}"
        return MachineError(
            f"a process that prepares rows ended ({why})",
            where=f"process {self.process.pid}",
            next_step="is there enough memory? prepare.workers: here needs the least",
        )

    def end(self) -> None:
        """Kill it: it holds nothing that is not here too."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # What was still to be sent goes nowhere.
                    continue
