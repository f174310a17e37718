"""What the rows are good for, by their number and kind, each piece of advice with its reason."""

from __future__ import annotations

import math
from typing import Any

FEW, RECOMMENDED, MANY = 100, 1000, 10_000
"""Training rows below which a prompt serves better, that are recommended, and that full tuning can use."""
LONG_PROMPT = 1500
"""Characters of the median prompt from which rows bring a context with them."""
FACTS = 0.3
"""Share of the rows with a figure in the reply that the prompt does not have, from which they teach facts."""
LOST = 0.3
"""Share of dropped rows that asks for a look."""
VAGUE = 0.1
"""Half-width of a test result's interval that is too wide to judge by."""
Advice = list[dict[str, str]]


def advice(report: dict[str, Any]) -> Advice:
    """What to do with the rows, the most important first.

    Args:
        report: The data report, with its audits where there are some.

    Returns:
        A list of ``{what, why}``, one sentence each.
    """
    rows = report["splits"]["train"]
    return [by_size(rows), *by_kind(report), *held_out(report["splits"]), *losses(report), *languages(report)]


def by_size(rows: int) -> dict[str, str]:
    """Prompt, adapter or full tuning."""
    if rows < FEW:
        return said(
            "put the best rows into the prompt as examples instead of training on them, or collect more",
            f"{rows} training rows are few: below {FEW}, a model learns these rows by heart rather than what they have "
            f"in common; at least {RECOMMENDED:,} are recommended",
        )
    if rows < RECOMMENDED:
        return said(
            "train an adapter (method: lora, or qlora where memory is short)",
            f"{rows} training rows: an adapter changes few parameters, so that fewer rows are enough and less of what "
            f"the model knew is lost; at least {RECOMMENDED:,} are recommended",
        )
    if rows < MANY:
        return said(
            "train an adapter (method: lora) first; full tuning (method: full) is worth a comparison",
            f"{rows:,} training rows are enough for an adapter and for full tuning, also mixed with general data; "
            "full tuning costs more memory and forgets more, so it should show that it is better",
        )
    return said(
        "train fully (method: full), mixed with general rows, and compare with an adapter of a higher rank",
        f"{rows:,} training rows are enough for full tuning: at this number an adapter's few parameters can be what "
        "limits it; general rows keep what the model knew",
    )


def by_kind(report: dict[str, Any]) -> Advice:
    """What the rows are about: facts, a context that is read, or a way to answer."""
    found, rows = [], max(1, report["rows"])
    facts, prompt = report.get("facts", 0), report["characters"]["prompt"]["median"]
    if facts > FACTS * rows:
        found.append(
            said(
                "keep facts that change in a collection and give them with the question (RAG); train the way to answer",
                f"{facts:,} of {rows:,} replies have a figure that their prompt does not give: a model learns such "
                "facts badly, cannot forget them when they change, and invents others like them",
            )
        )
    if prompt >= LONG_PROMPT:
        found.append(
            said(
                "train with the context in the prompt, some of it beside the point (RAFT), and watch tune.max_length",
                f"the median prompt has {prompt:,.0f} characters: the rows bring what the answer is taken from, which "
                "is the work of RAG; the model learns to read, not to know",
            )
        )
    return found


def held_out(splits: dict[str, int]) -> Advice:
    """Whether enough rows are held out to judge by."""
    test = splits.get("test", 0)
    if not test:
        return [said("hold out a test split (prepare.split)", "with no test rows nothing says whether it got better")]
    half = 0.98 / math.sqrt(test)
    if half <= VAGUE:
        return []
    return [
        said(
            "hold out more test rows, or read differences with care",
            f"{test} test rows leave a share such as the accuracy uncertain by up to {half:.0%} either way (95 %)",
        )
    ]


def losses(report: dict[str, Any]) -> Advice:
    """Whether many rows went."""
    dropped, rows = sum(report["dropped"].values()), report["rows_in"]
    if dropped <= LOST * rows:
        return []
    reason, count = max(report["dropped"].items(), key=lambda item: item[1])
    why = f"{dropped:,} of {rows:,} rows were dropped, most of them ({count:,}) as {reason.replace('_', ' ')}"
    return [said("read some of the dropped rows in dropped.jsonl before you go on", why)]


def languages(report: dict[str, Any]) -> Advice:
    """What the languages ask of the model, where the audit of that name ran."""
    audit = next((one for one in report.get("audits", []) if one["name"] == "languages"), None)
    counts: dict[str, int] = (audit or {}).get("figures", {}).get("languages", {})
    main = next((code for code in counts if code != "unknown"), None)
    if main in {None, "en"}:
        return []
    share = counts[str(main)] / sum(counts.values())
    return [
        said(
            f"choose a model that has learnt {main}; sevenfold load RECIPE measures how its tokenizer fits",
            f"{share:.0%} of the rows are in {main}: few rows teach a task, not a language",
        )
    ]


def said(what: str, why: str) -> dict[str, str]:
    """One piece of advice."""
    return {"what": what, "why": why}
