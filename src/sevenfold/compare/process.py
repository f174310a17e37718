"""A process of its own for each piece of work: what it says is heard, how it ended is kept."""

from __future__ import annotations

import contextlib
import ctypes
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from sevenfold import errors
from sevenfold.errors import Interrupted, MachineError, SevenfoldError

CHILD = "from sevenfold.compare.process import tie; tie(); from sevenfold.cli import main; main()"
"""The command line as a child runs it."""
DIE_WITH_PARENT = 1
"""``PR_SET_PDEATHSIG`` of Linux's prctl."""


@dataclass(frozen=True)
class Failure:
    """Why a piece of work did not end well.

    Args:
        problem: What is wrong.
        kind: The error's class, or ``crash`` for what no error of ours explains.
        where: The place; the log for a crash.
        expected: What would have been right.
        next: What to do now.
    """

    problem: str
    kind: str
    where: str | None = None
    expected: str | None = None
    next: str | None = None

    @classmethod
    def of(cls, told: dict[str, Any]) -> Failure:
        """The failure behind the object that a command gives with ``--json``."""
        return cls(told["error"], told["kind"], told.get("where"), told.get("expected"), told.get("next"))

    def as_json(self) -> dict[str, Any]:
        """The failure as the comparison keeps it."""
        return asdict(self)

    def error(self, opening: str = "") -> SevenfoldError:
        """The failure as the user's error.

        Args:
            opening: Stands before the problem.
        """
        kind = getattr(errors, self.kind, MachineError)
        made: SevenfoldError = kind(
            opening + self.problem, where=self.where, expected=self.expected, next_step=self.next
        )
        return made


@dataclass(frozen=True)
class Ended:
    """How a command ended: the object that it gave, or its failure."""

    said: dict[str, Any]
    failure: Failure | None = None


def tie() -> None:
    """End this process when the one that started it is killed, so that nobody works on behind its back (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)


def call(words: Sequence[str], log: Path, hear: Callable[[str], None]) -> Ended:
    """Run ``sevenfold WORDS --json`` as a process and wait for it.

    Args:
        words: The command's words.
        log: Keeps what the process says; earlier text stays.
        hear: Takes each line as it is said.

    Raises:
        Interrupted: The user stopped us, or the process; it has saved its state.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", CHILD, *words, "--json"]
    # A group of its own: Ctrl-C reaches us alone, and the process is told once, by us.
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        log.open("a", encoding="utf-8") as kept,
        subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True, start_new_session=True) as child,
    ):
        assert child.stderr is not None
        try:
            last = listen(child.stderr, kept, hear)
            code = child.wait()
        except BaseException:
            stop(child)
            raise
        out.seek(0)
        return ended(code, out.read(), last, log)


def listen(lines: IO[str], kept: IO[str], hear: Callable[[str], None]) -> str:
    """Pass on and keep every line; gives the last one that says something."""
    last = ""
    for line in lines:
        kept.write(line)
        kept.flush()
        if line.strip():
            last = line.strip()
            hear(last)
    return last


def stop(child: subprocess.Popen[str]) -> None:
    """Ask a process to save and end; a second interruption ends it at once."""
    child.send_signal(signal.SIGTERM)
    try:
        child.communicate()
    except BaseException:
        child.kill()
        raise


def ended(code: int, out: str, last: str, log: Path) -> Ended:
    """What an exit code and the object on standard output mean."""
    told = as_object(out)
    if code == Interrupted.exit_code:
        raise Interrupted(told.get("error", "stopped; what is done is kept"), next_step="run the same command to go on")
    if code == 0:
        return Ended(told)
    if "error" in told:
        return Ended({}, Failure.of(told))
    if code < 0:
        name = signal.Signals(-code).name
        why = "; the system does that when memory runs out" if name == "SIGKILL" else ""
        return Ended({}, Failure(f"the process was ended by {name}{why}", "crash", str(log)))
    return Ended({}, Failure(last or f"the process ended with code {code}", "crash", str(log)))


def as_object(text: str) -> dict[str, Any]:
    """The one object of ``--json``; empty where the process died before it."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
