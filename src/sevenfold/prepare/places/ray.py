"""On a Ray cluster: many machines, or several processes of this one."""

from __future__ import annotations

import os
import pickle
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import Field

from sevenfold.errors import MachineError, RecipeError, first_line
from sevenfold.prepare.places import Crew, Job, Place
from sevenfold.prepare.places._rounds import Rounds, Worker, only_here, own_code

STORE = 256 << 20
"""Bytes of the store for pieces on their way, where a cluster of this machine alone is started."""


class Ray(Place):
    """Workers of a Ray cluster: that of `RAY_ADDRESS`, or else one that is started here and ended again.

    The rows are read by this process, so that only it needs the files. Every machine needs Sevenfold, and a user's own
    steps at the same paths. Needs `sevenfold[many]`.
    """

    main = "number"
    number: int = Field(2, ge=1, description="Workers, each with one core.")

    @contextmanager
    def crew(self, needed: list[object]) -> Iterator[Crew]:
        """The workers.

        Raises:
            MachineError: Ray is not installed or does not answer.
            RecipeError: A step is defined where no other machine finds it.
        """
        if names := only_here(needed):
            raise RecipeError(
                f"{', '.join(names)} cannot be sent to workers of Ray",
                expected="classes in files or in installed packages",
                next_step="put it into a file and name that: {file: mine.py}",
            )
        try:
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            import ray
        except ImportError:
            raise MachineError("ray is not installed", next_step="pip install 'sevenfold[many]'") from None
        mine = not ray.is_initialized()
        if mine:
            connect(self.number)
        crew = Cluster(self.number, own_code(needed))
        try:
            yield crew
        finally:
            crew.dismiss()
            if mine:
                ray.shutdown()


def connect(number: int) -> None:
    """Join the cluster of ``RAY_ADDRESS``, or start one on this machine.

    Raises:
        MachineError: It does not answer.
    """
    import ray

    settings: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
    if "RAY_ADDRESS" not in os.environ:
        settings |= {"num_cpus": number, "object_store_memory": STORE}
    try:
        ray.init(**settings)
    except Exception as error:
        raise MachineError(
            f"Ray cannot be reached or started: {first_line(error)}", next_step="check RAY_ADDRESS"
        ) from error


class Cluster(Rounds):
    """Actors of Ray."""

    def __init__(self, number: int, files: list[tuple[str, str]]) -> None:
        super().__init__()
        self.number, self.files = number, files
        self.hired: list[Remote] = []

    def hire(self) -> Sequence[Worker]:
        """Start them all."""
        for _ in range(self.number):
            self.hired.append(Remote(self.files))
        return self.hired

    def dismiss(self) -> None:
        """End them all."""
        import ray

        for remote in self.hired:
            ray.kill(remote.actor)


class Hands:
    """What runs on the other machine."""

    def begin(self, content: tuple[list[tuple[str, str]], bytes]) -> None:
        """Load the job; its error, if any, is told with each piece."""
        from sevenfold.prepare.places._worker import started

        self.work, self.failed = started(content)

    def do(self, piece: bytes) -> bytes:
        """A piece's result, or its error, pickled."""
        from sevenfold.prepare.places._worker import done

        return pickle.dumps(self.failed or done(self.work, piece), protocol=5)


class Remote(Worker):
    """One actor."""

    def __init__(self, files: list[tuple[str, str]]) -> None:
        import ray

        self.files = files
        self.actor: Any = ray.remote(num_cpus=1)(Hands).remote()
        self.waiting: deque[Any] = deque()

    def begin(self, job: Job) -> None:
        """Send the job."""
        self.actor.begin.remote((self.files, pickle.dumps(job, protocol=5)))

    def give(self, piece: Any) -> None:
        """Send a piece."""
        self.waiting.append(self.actor.do.remote(pickle.dumps(piece, protocol=5)))

    def take(self) -> Any:
        """Wait for the oldest result."""
        import ray

        try:
            kind, found = pickle.loads(ray.get(self.waiting.popleft()))  # noqa: S301 - from an actor started here
        except ray.exceptions.RayError as error:
            raise MachineError(
                f"a worker of Ray ended: {first_line(error)}", next_step="look at the cluster's logs; run it again"
            ) from error
        if kind == "failed":
            raise found
        return found
