"""The stage ``monitor``: traffic and training prompts to observations and alerts."""

from __future__ import annotations

from pathlib import Path

from sevenfold.deploy.service import TRAFFIC_FILE, Service
from sevenfold.monitor import baseline as baselines
from sevenfold.monitor.baseline import Baseline
from sevenfold.monitor.checks import Check
from sevenfold.monitor.ingest import exchanges
from sevenfold.monitor.metrics import exposition, measure
from sevenfold.monitor.notify import notify
from sevenfold.monitor.observations import Observations, Observed
from sevenfold.monitor.section import MonitorSection
from sevenfold.monitor.store import TRAFFIC_STORE, Pruned, TrafficStore
from sevenfold.monitor.window import Window, newest
from sevenfold.prepare.dataset import Dataset
from sevenfold.record import Entry, write_text

METRICS_FILE = "metrics.prom"


def monitor(section: MonitorSection, dataset: Dataset, service: Service, entry: Entry) -> Observations:
    """Look at the service's traffic.

    Args:
        section: What to look for, and whom to tell.
        dataset: The training data, whose prompts traffic is compared with.
        service: The service, with the traffic of its smoke test.
        entry: The stage's view of the record; ``traffic.sqlite`` lies in the run's folder above its own.

    Returns:
        Metrics and findings for the newest windows, and the alerts that were given.

    Raises:
        DataError: The file of the smoke test's traffic is broken.
        MachineError: The store or the baseline cannot be used.
    """
    with TrafficStore(entry.folder.parent / TRAFFIC_STORE) as store:
        imported = take_in(service.folder / TRAFFIC_FILE, store)
        pruned = prune(section, store, entry)
        baseline = prepare_baseline(section, dataset, entry)
        windows = newest(store, section.window, section.windows)
        observed = [look(window, section.checks, baseline) for window in windows]
        told = notify(section.active_rules, observed, section.alerts, store, entry)
        requests = store.count()
        write_text(entry.folder / METRICS_FILE, exposition(store))
    observations = Observations(
        requests=requests,
        imported=imported,
        deleted_by_age=pruned.by_age,
        deleted_by_count=pruned.by_count,
        training_prompts=baseline.seen,
        compared_prompts=len(baseline.prompts),
        calibrations={name: kept["measured"] for name, kept in baseline.calibrations.items()},
        windows=observed,
        firing=told.firing,
        events=told.events,
        untold=told.untold,
    ).save(entry.folder)
    report(observations, entry)
    return observations


def take_in(path: Path, store: TrafficStore) -> int:
    """Import a file of traffic; what is in the store already is not imported again. Gives the number of new ones."""
    return store.extend(exchanges(path)) if path.exists() else 0


def prune(section: MonitorSection, store: TrafficStore, entry: Entry) -> Pruned:
    """Delete what is not to be kept, and say so."""
    pruned = store.prune(section.keep_days, section.keep_rows)
    if pruned.by_age:
        entry.note(f"{pruned.by_age} requests older than {section.keep_days:g} days were deleted (monitor.keep_days)")
    if pruned.by_count:
        entry.note(f"{pruned.by_count} oldest requests above {section.keep_rows} were deleted (monitor.keep_rows)")
    return pruned


def prepare_baseline(section: MonitorSection, dataset: Dataset, entry: Entry) -> Baseline:
    """The baseline, with every check calibrated on it; done once and kept."""
    baseline = baselines.baseline_of(dataset, entry.folder, section.baseline, section.seed)
    for check in section.checks:
        settings = check.model_dump(mode="json")
        kept = baseline.calibrations.get(check.name)
        if kept is None or kept["settings"] != settings:
            measured = check.calibrate(baseline)
            baseline.calibrations[check.name] = {"settings": settings, "measured": measured}
    baselines.keep(baseline, entry.folder)
    return baseline


def look(window: Window, checks: list[Check], baseline: Baseline) -> Observed:
    """The figures and findings of one window."""
    findings = [check.judge(window, baseline) for check in checks]
    return Observed(start=window.start, end=window.end, metrics=measure(window), findings=findings)


def report(observations: Observations, entry: Entry) -> None:
    """Put the newest window's figures and every verdict into the record."""
    entry.metric("requests", observations.requests)
    entry.metric("imported", observations.imported)
    entry.metric("firing", observations.firing)
    false_alarms = observations.calibrations.get("drift", {})
    if false_alarms.get("trials"):
        entry.metric("drift_false_alarm_rate", false_alarms["rate"])
        entry.note(
            f"drift check: {false_alarms['alarms']} false alarms in {false_alarms['trials']} windows of "
            f"{false_alarms['window']} training prompts (95 % interval of the rate: "
            f"{false_alarms['low']:.1%} to {false_alarms['high']:.1%})"
        )
    if not observations.windows:
        entry.note("no traffic yet; `sevenfold serve` writes it into the store")
        return
    newest_window = observations.windows[-1]
    entry.metric("seconds_p95", newest_window.metrics.seconds["p95"])
    entry.metric("errors", newest_window.metrics.errors)
    for finding in newest_window.findings:
        entry.metric(f"{finding.check}_verdict", finding.verdict)
        entry.note(f"{finding.check}: {finding.verdict}: {finding.reason}")
