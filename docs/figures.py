"""Writes the figures of a finished demo into the documents, so that every figure is one that a run gave.

Usage: ``.venv/bin/python docs/figures.py [RUN]`` after ``make demo``; RUN is a run's folder, by default ``runs/demo``.
What stands between ``<!-- demo:begin -->`` and ``<!-- demo:end -->`` (and the same with ``proofs``) is replaced.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "docs/index.md", "docs/proofs.md")
PROOFS = ("mask", "tokens", "packing", "accumulation", "resume", "merge", "export")


def main(run: Path, root: Path = ROOT) -> None:
    """Fill every document from a run's record."""
    stages = json.loads((run / "record.json").read_text(encoding="utf-8"))["stages"]
    smoke = json.loads((run / "6-deploy" / "result.json").read_text(encoding="utf-8"))["smoke"]
    parts = {"demo": "\n".join(demo(stages, smoke)), "proofs": "\n".join(proofs(stages))}
    for name in DOCUMENTS:
        path = root / name
        path.write_text(filled(path.read_text(encoding="utf-8"), parts), encoding="utf-8")


def filled(text: str, parts: dict[str, str]) -> str:
    """A document with the parts between their marks."""
    for name, part in parts.items():
        marks = re.compile(f"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)", re.S)
        text = marks.sub(lambda found, part=part: f"{found[1]}\n{part}\n\n{found[2]}", text)  # type: ignore[misc]
    return text


def demo(stages: dict[str, Any], smoke: list[dict[str, Any]]) -> Iterator[str]:
    """The comparison, an answer of the service, and what it cost."""
    yield f"Base against tuned, {rows_of(stages)} held-out functions of modules that training never saw:"
    yield ""
    yield "| metric | base | tuned | difference | 95 % interval | better |"
    yield "|---|---:|---:|---:|---:|---|"
    yield from map(comparison, stages["evaluate"]["metrics"]["metrics"].values())
    yield from ("", "The first question that the served model was asked over HTTP, and its answer:", "")
    first = smoke[0]
    question = first["messages"][-1]["content"].splitlines()
    yield from ("```text", *question, "", f"answer     {one_line(first['answer'])}")
    yield from (f"reference  {one_line(first['reference'])}", "```", "")
    yield from cost(stages)


def rows_of(stages: dict[str, Any]) -> int:
    """Held-out rows of the comparison."""
    return int(next(iter(stages["evaluate"]["metrics"]["metrics"].values()))["rows"])


def comparison(metric: dict[str, Any]) -> str:
    """A metric's line, with the digits that the command prints."""
    base, tuned, difference = (f"{metric[key]:.4g}" for key in ("base", "tuned", "difference"))
    low, high = metric["interval"]
    cells = (metric["metric"], base, tuned, difference, f"[{low:.4g}, {high:.4g}]", metric["better"])
    return "| " + " | ".join(cells) + " |"


def one_line(text: str) -> str:
    """A text without line breaks."""
    return " ".join(text.split())


def cost(stages: dict[str, Any]) -> Iterator[str]:
    """Time by stage, memory, sizes, and the machine."""
    times = ", ".join(f"{name} {stage['seconds']:.0f} s" for name, stage in stages.items())
    seconds = sum(stage["seconds"] for stage in stages.values())
    tune, deploy = stages["tune"]["metrics"], stages["deploy"]["metrics"]
    yield f"- Time: {duration(seconds)} for all seven stages, proofs included ({times})."
    yield (
        f"- Training: {tune['steps']} steps, {tune['tokens']:,} tokens, {tune['tokens_per_second']:.0f} tokens/s, "
        f"{tune['trainable_parameters']:,} trained parameters; the base: {stages['load']['metrics']['parameters']:,}."
    )
    yield f"- Memory: {tune['peak_memory_bytes'] / 1e9:.1f} GB at the peak of training."
    sizes = [(name, deploy[f"{name}_bytes"]) for name in ("adapter", "merged", "gguf") if f"{name}_bytes" in deploy]
    yield f"- Exports: {', '.join(f'{name} {size / 1e6:.0f} MB' for name, size in sizes)}."
    yield f"- Machine: {machine(stages['setup']['machine'])}."


def duration(seconds: float) -> str:
    """Minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def machine(snapshot: dict[str, Any]) -> str:
    """The machine in a line."""
    features, versions = ", ".join(snapshot["processor_features"]), snapshot["versions"]
    memory = f"{snapshot['memory_bytes'] / 1e9:.0f} GB of memory"
    return (
        f"{snapshot['cores']} cores of {snapshot['processor']} ({features}), {memory}, "
        f"{snapshot['gpu'] or 'no GPU'}, Python {snapshot['python']}, torch {versions['torch']}, "
        f"transformers {versions['transformers']}"
    )


def proofs(stages: dict[str, Any]) -> Iterator[str]:
    """Every measurement of the seven proofs, in their order."""
    found = [proof for stage in stages.values() for proof in stage["proofs"]]
    yield "| proof | when | measured | limit | unit | what was compared |"
    yield "|---|---|---:|---:|---|---|"
    for proof in sorted(found, key=lambda proof: PROOFS.index(proof["name"])):
        number = PROOFS.index(proof["name"]) + 1
        figures = f"{proof['figure']:.2g} | {proof['limit']:g}"
        verdict = "" if proof["passed"] else "FAILED: "
        yield f"| {number} {proof['name']} | {proof['when']} | {verdict}{figures} | {proof['unit']} | {proof['what']} |"


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "runs" / "demo")
