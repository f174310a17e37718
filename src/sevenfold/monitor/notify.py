"""Tell the channels what changed: a rule begins to hold, or it ends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from sevenfold.errors import SevenfoldError
from sevenfold.monitor.alerts import Alert, Event
from sevenfold.monitor.checks import Finding
from sevenfold.monitor.observations import Observed
from sevenfold.monitor.rules import Rule
from sevenfold.monitor.store import TrafficStore
from sevenfold.record import Entry

State = Literal["firing", "resolved"]


@dataclass
class Told:
    """What came of the rules.

    Args:
        firing: The rules that hold.
        events: What was told.
        untold: What could not be told, with the reason.
    """

    firing: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)


def notify(
    rules: Sequence[Rule], windows: Sequence[Observed], alerts: Sequence[Alert], store: TrafficStore, entry: Entry
) -> Told:
    """Compare what holds with what every channel knows, and tell the difference.

    The store remembers for each channel what it was told, so running the stage again repeats nothing, and a channel
    that failed hears of it next time while the others are left in peace.
    """
    told = Told()
    for rule in rules if windows else []:
        findings = [window.finding(rule.check) for window in windows]
        holds = rule.holds(findings)
        if holds:
            told.firing.append(str(rule))
        for alert in alerts:
            state = news(holds, findings[-1].figures[rule.figure], store.told(str(rule), alert.name) is not None)
            if state:
                send(alert, event_of(rule, state, findings[-1], entry), store, entry, told)
    return told


def news(holds: bool, value: float | None, known: bool) -> State | None:
    """What a channel has to hear: nothing when it knows, or when there was too little to say that it is over."""
    if holds and not known:
        return "firing"
    if known and not holds and value is not None:
        return "resolved"
    return None


def event_of(rule: Rule, state: State, newest: Finding, entry: Entry) -> Event:
    """The event to tell."""
    return Event(
        run=entry.folder.resolve().parent.name,
        rule=str(rule),
        state=state,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        value=newest.figures[rule.figure],
        reason=newest.reason,
    )


def send(alert: Alert, event: Event, store: TrafficStore, entry: Entry, told: Told) -> None:
    """Tell one channel; a failure is a warning, and the channel hears of it next time."""
    try:
        alert.tell(event, entry)
    except SevenfoldError as error:
        told.untold.append(f"{alert.name}: {event}: {error.problem}")
        entry.warn(f"the alert {event.rule!r} did not reach {alert.name}: {error.describe()}")
        return
    store.tell(event.rule, alert.name, time.time() if event.state == "firing" else None)
    told.events.append(event)
