"""The table and the picture of ``docs/imbalance.md``, made of the figures that ``imbalance.py`` keeps."""

from __future__ import annotations

import io
import math
import string
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

LABELS = (
    "ValueError",
    "TypeError",
    "RuntimeError",
    "NotImplementedError",
    "OSError",
    "AttributeError",
    "AssertionError",
    "ImportError",
    "KeyError",
)
COMMON = 3
"""So many of the labels, the first ones, are common; each of the others has fewer than 3 % of the rows."""
NOTHING = "nothing"
SIGNS = string.digits + string.ascii_letters
DRAWS = 1000
SHOWN = ("macro_f1", "pr_auc", "kappa", "balanced_accuracy", "accuracy")


def packed(prob: float) -> str:
    """A probability as two characters: its logit in steps of 0.02 from -12 to 12."""
    logit = math.log(max(prob, 1e-9) / max(1 - prob, 1e-9))
    return "".join(SIGNS[part] for part in divmod(round((min(max(logit, -12.0), 12.0) + 12) / 0.02), len(SIGNS)))


def unpacked(text: str) -> list[dict[str, float]]:
    """The probabilities of each row."""
    numbers = [SIGNS.index(a) * len(SIGNS) + SIGNS.index(b) for a, b in zip(text[::2], text[1::2], strict=True)]
    probs = [1 / (1 + math.exp(12 - 0.02 * number)) for number in numbers]
    width = len(LABELS)
    return [dict(zip(LABELS, probs[n : n + width], strict=True)) for n in range(0, len(probs), width)]


def figures(run: dict[str, Any], counts_RN: np.ndarray) -> dict[str, np.ndarray]:
    """A run's metrics on draws of its held-out rows: how often each row was drawn, ``R x N``; ``R`` each."""
    from sevenfold.evaluate.metrics import METRICS
    from sevenfold.evaluate.rows import figures_of

    probs = unpacked(run["probs"])
    answers = [{"text": LABELS[int(one)], "labels": row} for one, row in zip(run["said"], probs, strict=True)]
    true = [LABELS[int(one)] for one in run["true"]]
    found = {}
    for name in SHOWN:
        metric = METRICS.find(name)(**({"labels": LABELS[COMMON:]} if name == "pr_auc" else {}))
        found[name] = metric.finish(counts_RN @ figures_of(metric, answers, true) / len(true))
    return found


def compared(kept: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """For each way: splits, means, and against nothing on the same splits the difference and its 95 % interval.

    Each draw takes splits with replacement, and on each of them held-out rows with replacement, the same for both.
    """
    import numpy as np

    of_runs: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    for name, runs in kept["runs"].items():
        for seed, run in runs.items():
            rng = np.random.default_rng(int(seed))
            rows = len(run["true"])
            counts = np.concatenate([np.ones((1, rows)), rng.multinomial(rows, [1 / rows] * rows, DRAWS)])
            of_runs.setdefault(name, {})[seed] = figures(run, counts)
    found = {}
    for name, runs in of_runs.items():
        seeds = sorted(set(runs) & set(of_runs[NOTHING]))
        drawn = np.random.default_rng(0).integers(0, len(seeds), (DRAWS, len(seeds)))
        told: dict[str, Any] = {"splits": len(seeds)}
        for metric in SHOWN:
            gaps = np.array([runs[seed][metric] - of_runs[NOTHING][seed][metric] for seed in seeds])
            spread = gaps[drawn, 1 + np.arange(DRAWS)[:, None]].mean(1)
            told[metric] = {
                "mean": float(np.mean([runs[seed][metric][0] for seed in seeds])),
                "difference": float(gaps[:, 0].mean()),
                "interval": [float(one) for one in np.quantile(spread, [0.025, 0.975])],
            }
        found[name] = told
    return found


def word(told: dict[str, Any], metric: str) -> str:
    """What an interval says."""
    low, high = told[metric]["interval"]
    return "helped" if low > 0 else "hurt" if high < 0 else "unclear"


def table(kept: dict[str, Any], found: dict[str, dict[str, Any]]) -> str:
    """The table, what it was measured with, and how to go on."""
    first = next(iter(kept["runs"][NOTHING].values()))
    lines = [
        "| way | splits | macro-F1 | PR-AUC of the rare | kappa | balanced accuracy | accuracy "
        "| macro-F1 against nothing | PR-AUC against nothing |",
        "|---|--:|--:|--:|--:|--:|--:|---|---|",
    ]
    for name, told in sorted(found.items(), key=lambda item: (item[0] != NOTHING, -item[1]["macro_f1"]["mean"])):
        means = " | ".join(f"{told[metric]['mean']:.3f}" for metric in SHOWN)
        against = " | ".join(against_nothing(told, metric) if name != NOTHING else "" for metric in SHOWN[:2])
        lines.append(f"| {name} | {told['splits']} | {means} | {against} |")
    train = ", ".join(f"{label} {count}" for label, count in first["train"].items())
    tune = first["asked"]["tune"]
    lines += [
        "",
        f"Training rows of the first split: {train}; {len(first['true'])} rows are held out. SmolLM2-135M, the last "
        f"block and the head move, {tune['steps']} steps of {tune['batch']} rows at {tune['learning_rate']:g}, a text "
        "is read from the mean of its tokens. PR-AUC is the mean over the six labels with fewer than 3 % of the rows. "
        "In brackets 95 % intervals by drawing splits, and rows within them, anew; helped: above 0, hurt: below 0. "
        f"{kept['machine']}.",
    ]
    return "\n".join(lines)


def against_nothing(told: dict[str, Any], metric: str) -> str:
    """A difference with its interval and its word."""
    one = told[metric]
    low, high = one["interval"]
    return f"**{word(told, metric)}** {one['difference']:+.3f} ({low:+.3f} to {high:+.3f})"


def picture(found: dict[str, dict[str, Any]]) -> str:
    """The differences and their intervals as SVG, with the same bytes for the same figures."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    names = sorted((name for name in found if name != NOTHING), key=lambda name: found[name]["macro_f1"]["difference"])
    with matplotlib.rc_context({"svg.hashsalt": "sevenfold", "svg.fonttype": "none", "font.size": 9}):
        figure, both = pyplot.subplots(1, 2, figsize=(9, 0.4 + 0.32 * len(names)), layout="constrained", sharey=True)
        for axes, metric, title in zip(both, SHOWN, ("macro-F1", "PR-AUC of the rare labels"), strict=False):
            for place, name in enumerate(names):
                told, colour = found[name][metric], {"helped": "#00796b", "hurt": "#c62828", "unclear": "#757575"}
                axes.plot(told["interval"], [place, place], color=colour[word(found[name], metric)], linewidth=2)
                axes.plot(told["difference"], place, "o", color=colour[word(found[name], metric)], markersize=5)
            axes.axvline(0, color="black", linewidth=0.8)
            axes.set(yticks=range(len(names)), yticklabels=names, xlabel=f"{title}, against doing nothing")
            axes.grid(alpha=0.3, axis="x")
            axes.spines[["top", "right", "left"]].set_visible(False)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
        pyplot.close(figure)
    return "".join(f"{line.rstrip()}\n" for line in drawn.getvalue().splitlines())


def write(kept: dict[str, Any], page: Path) -> None:
    """Put the table between its marks in the page, and the picture beside the others."""
    found = compared(kept)
    (page.parent / "images" / "imbalance.svg").write_text(picture(found), encoding="utf-8")
    begin, end = "<!-- ways:begin -->", "<!-- ways:end -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    text = f"{before}{begin}\n{table(kept, found)}\n{end}{rest.partition(end)[2]}"
    page.write_text(text, encoding="utf-8")
