"""Stage 3: the machine to an environment."""

from __future__ import annotations

from sevenfold.record import Entry
from sevenfold.setup import devices, limits, snapshot
from sevenfold.setup.environment import Environment
from sevenfold.setup.section import SetupSection


def setup(section: SetupSection, entry: Entry) -> Environment:
    """Choose device, precision and threads, and keep what the machine is.

    Args:
        section: What the user asks for.
        entry: Where the choices and their reasons are written.

    Raises:
        MachineError: A device that was asked for is not there.
    """
    device = devices.choose(section.device)
    precision, reason = devices.choose_precision(section.precision, device)
    threads, why_threads = limits.threads(section.threads)
    machine = snapshot.take(entry.folder, device)
    entry.note(f"{precision} on {device}: {reason}")
    entry.note(f"{threads} thread{'s' if threads > 1 else ''}: {why_threads}; seed {section.seed}")
    entry.record.machine = machine
    entry.metric("memory_bytes", machine["memory_bytes"])
    entry.metric("available_memory_bytes", machine["available_memory_bytes"])
    environment = Environment(
        device=device,
        precision=precision,
        reason=reason,
        seed=section.seed,
        threads=threads,
        deterministic=section.deterministic,
        machine=machine,
    )
    return environment.save(entry.folder)
