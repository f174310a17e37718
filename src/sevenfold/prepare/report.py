"""The data report: what went in, what changed, what was dropped and why, what came out.

``report.json`` in the stage's folder has these keys:

- ``rows_in``: rows that the sources gave; ``rows_in`` + the sum of ``made`` = ``rows`` + the sum of ``dropped``.
- ``rows``: rows in all splits together.
- ``sources``: a list of ``{name, rows, format, columns: {read, kept, left}}``, one a source.
- ``changed``: cleaning step to the number of rows that it changed, in their text or their columns.
- ``examples``: cleaning step to the first three rows that it changed, ``{origin, before, after}``, each the text around
  the first change; what a step masks in the rows is masked here too.
- ``found``: cleaning step to its own figures, for steps that have some: ``pii`` to the values found by kind,
  ``language`` to rows by language, ``harmful`` to rows by category, ``repeats`` to what it took out.
- ``dropped``: reason to the number of rows. All of them lie in ``dropped.jsonl`` (reason, origin, content), except
  those above ``limit``, which are only counted.
- ``made``: change of the training rows to the rows that it made.
- ``duplicates``: rows dropped as exact duplicates, also part of ``dropped``.
- ``near_duplicates``: ``{clusters, rows, dropped, largest, bands, values_in_a_band, not_compared, examples}``: rows in
  clusters of near-duplicates, how many were dropped, the first 1,000 of these as ``{origin, of, similarity}``;
  ``not_compared`` counts rows that shared a band with more others than are compared. Empty when not sought.
- ``semantic_duplicates``: ``{clusters, rows, dropped, largest, border_cosine_prompt, border_cosine_reply, examples}``:
  the same of rows that mean the same; empty when not sought.
- ``leaks``: ``{rows, texts, common_phrases, examples}``: training rows that were removed because they share text with
  what is held out, texts of evaluation sets that were compared, the first 1,000 as ``{origin, of, words}``. Empty
  when not sought.
- ``no_reply``: ``{rows, origins}`` of rows without a reply to learn; ``origins`` names the first 1,000.
- ``splits``: split to rows; ``split``: how it was made, ``{how, by, seed}``.
- ``labels``: value of the split's column to rows per split, the 50 most frequent; empty when it reads no column.
- ``characters``, ``words``: ``{prompt, reply, row}``, each ``{min, median, mean, p95, max, histogram}`` with the
  histogram as ``{edges, counts}``; a reply is what is learnt, the prompt everything else of the row.
- ``turns``: the same distribution of messages per row; ``roles``: role to messages; ``replies``: learnt turns.
- ``facts``: rows whose reply has a figure that the prompt does not have.
- ``training``: what each change of the training rows did, ``audits``: what each audit found; both are lists of
  ``{name, title, said, figures, tables, charts, advice}``, which :mod:`sevenfold.findings` documents.
- ``advice``: what the rows are good for by size and kind, the most important first: a list of ``{what, why}``
  (:mod:`sevenfold.prepare.advice`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from sevenfold.prepare.dataset import SPLITS

REPORT_FILE = "report.json"
DROPPED_FILE = "dropped.jsonl"
NO_REPLY = frozenset({"empty_reply", "no_assistant_turn", "all_weights_zero"})
MOST_ORIGINS = 1000
MOST_LABELS = 50


def label_counts(labels: Iterable[str], sides: Iterable[str]) -> dict[str, dict[str, int]]:
    """Rows per split of each value of the split's column, the most frequent first."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for label, side in zip(labels, sides, strict=False):
        found[label][side] += 1
    frequent = sorted(found, key=lambda label: (-found[label].total(), label))[:MOST_LABELS]
    return {label: {side: found[label][side] for side in SPLITS} for label in frequent}


def table(report: dict[str, Any]) -> list[tuple[str, str]]:
    """The report's lines for a person."""
    changed = [(f"changed by {step}", f"{count:,}") for step, count in report["changed"].items() if count]
    found = [
        (f"{step}: {name}", f"{count:,}")
        for step, figures in report["found"].items()
        for name, count in figures.items()
    ]
    dropped = [(f"dropped: {reason}", f"{count:,}") for reason, count in report["dropped"].items()]
    made = [(f"made by {name}", f"{count:,}") for name, count in report["made"].items()]
    splits = [(split, f"{count:,}") for split, count in report["splits"].items()]
    lengths = [
        (f"characters of a {part}: median, p95, max", f"{found['median']:,.0f}, {found['p95']:,.0f}, {found['max']:,}")
        for part, found in report["characters"].items()
    ]
    return [("rows in", f"{report['rows_in']:,}"), *changed, *found, *dropped, *made, *splits, *lengths]
