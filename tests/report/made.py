"""A run's folder as the stages leave it, with figures that are made up but go together."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

from sevenfold.evaluate.checking import write_items
from sevenfold.evaluate.curve import read_curve
from sevenfold.evaluate.examined import Examined, Figure, Weighing, compared
from sevenfold.evaluate.forgetting import forgetting
from sevenfold.evaluate.jsonl import write_lines
from sevenfold.evaluate.metrics import METRICS, Likelihood, default_metrics
from sevenfold.evaluate.paired import Pairs, compare
from sevenfold.evaluate.report import Answers, Report, overall, summarise
from sevenfold.findings import Chart, Table
from sevenfold.monitor.observations import Observations
from sevenfold.recipe import Recipe
from sevenfold.record import Entry, Record, StageRecord, write_json
from sevenfold.tune.tuned import Tuned

STAGES = ("prepare", "load", "setup", "tune", "evaluate", "deploy", "monitor")


def folder_of(run: Path, stage: str) -> Path:
    folder = run / f"{STAGES.index(stage) + 1}-{stage}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def recipe(name: str = "demo") -> Recipe:
    return Recipe.from_text(f"name: {name}\nprepare:\n  source: {{python: stdlib}}\ntune:\n  epochs: 2\n", "demo.yaml")


def add_prepare(run: Path) -> None:
    shape = {"min": 12, "median": 180.0, "mean": 210.5, "p95": 640.0, "max": 2410}
    counts = [round(90 * math.exp(-((i - 6) ** 2) / 40)) for i in range(30)]
    length = {**shape, "histogram": {"edges": [12 + 22 * i for i in range(31)], "counts": counts}}
    lengths = {"prompt": length, "reply": length, "row": length}
    report = {
        "rows_in": 2406,
        "rows": 2000,
        "sources": [{"name": "stdlib", "rows": 2406, "format": "messages", "columns": {}}],
        "changed": {"unicode": 12, "white_space": 340},
        "found": {"pii": {"national_id": 17}, "language": {"fa": 1400}},
        "dropped": {"duplicate": 301, "empty_reply": 80, "too_long": 25},
        "duplicates": 301,
        "no_reply": {"rows": 80, "origins": []},
        "splits": {"train": 1600, "validation": 200, "test": 200},
        "split": {"how": "grouped", "by": "module", "seed": 17},
        "labels": {},
        "characters": lengths,
        "words": lengths,
        "turns": length,
        "roles": {"user": 2000, "assistant": 2000},
        "replies": 2000,
        "advice": [{"what": "train an adapter", "why": "1600 training rows are enough for it"}],
    }
    write_json(folder_of(run, "prepare") / "report.json", report)


def add_setup(run: Path) -> None:
    machine = {"processor": "a processor", "cores": 2, "memory_bytes": 8_000_000_000, "versions": {"torch": "2.13.0"}}
    write_json(folder_of(run, "setup") / "result.json", {"device": "cpu", "precision": "float32", "machine": machine})


def losses(steps: int = 120) -> list[float]:
    draw = random.Random(1)
    return [1.3 + 1.1 * math.exp(-step / 25) + draw.gauss(0, 0.06) for step in range(steps)]


def add_tune(run: Path) -> None:
    folder = folder_of(run, "tune")
    curve = losses()
    history = [
        {
            "step": step + 1,
            "loss": loss,
            "learning_rate": 2e-4 * min(1, (step + 1) / 10) * (1 - step / len(curve)),
            "gradient_norm": 0.6 + loss / 4,
            "tokens": 1800,
            "seconds": 0.9,
        }
        for step, loss in enumerate(curve)
    ]
    write_lines(folder / "history.jsonl", iter(history))
    Tuned(
        method={"lora": {"rank": 16}},
        adapter=True,
        steps=len(curve),
        best_step=90,
        trainable_parameters=4_884_480,
        tokens=216_000,
        tokens_per_second=2000.0,
        peak_memory_bytes=1_430_000_000,
        losses=curve,
        validation_losses={0: 2.41, 30: 1.7, 60: 1.5, 90: 1.42, 120: 1.425},
    ).save(folder)


def rows(word: str) -> list[dict]:
    draw = random.Random(2)
    made = []
    for index in range(64):
        gain = draw.gauss(0.25, 0.2)
        base_loss, base_chrf = draw.gammavariate(9, 0.25), draw.uniform(8, 35)
        values = {
            "base": {"loss": base_loss, "perplexity": base_loss, "chrf": base_chrf, "rouge_l": base_chrf / 110},
            "tuned": {
                "loss": base_loss - gain,
                "perplexity": base_loss - gain,
                "chrf": base_chrf + 14 * gain + draw.gauss(0, 3),
                "rouge_l": (base_chrf + 10 * gain) / 110,
            },
        }
        values["base"]["exact_match"], values["tuned"]["exact_match"] = 0.0, float(index % 21 == 0)
        texts = {"base": f"This is a function {word}", "tuned": f"نتیجهٔ تابع را برمی‌گرداند. {word}"}
        tokens = draw.randint(10, 50)
        made.append(
            {
                "row": index,
                "origin": f"module.function_{index}",
                "prompt": [{"role": "user", "content": f"Document this:\n\ndef f(x):\n    return x  # {word}"}],
                "reference": f"Return the value of x. {word}",
                "weights": {name: tokens if name in ("loss", "perplexity") else 1.0 for name in values["base"]},
                **{
                    side: {"text": texts[side], "finish_reason": "stop", "tokens": 12, "values": values[side]}
                    for side in ("base", "tuned")
                },
            }
        )
    return made


def add_evaluate(run: Path, word: str = "") -> None:
    import numpy as np

    folder = folder_of(run, "evaluate")
    made = rows(word)
    write_lines(folder / "rows.jsonl", iter(made))
    comparisons = {}
    for metric in default_metrics():
        name = METRICS.name_of(metric)
        base, tuned = (np.array([row[side]["values"][name] for row in made]) for side in ("base", "tuned"))
        weights = np.array([row["weights"][name] for row in made])
        comparisons[name] = compare(name, Pairs(metric, base, tuned, weights), 17, 2000)
    general = [[Likelihood((2.8 + rise + 0.02 * (i % 5)) * 30, 30) for i in range(30)] for rise in (0, 0.07)]
    better = overall(comparisons)
    Report(
        better=better,
        summary=summarise(comparisons, better),
        split="test",
        rows=64,
        available=200,
        left_out={"longer than the context": 2},
        metrics=comparisons,
        answers={
            "base": Answers(rows=64, cut=30, empty=0, mean_tokens=80.2),
            "tuned": Answers(rows=64, cut=9, empty=1, mean_tokens=22.5),
        },
        forgetting=forgetting(*general, seed=17, resamples=2000, confidence=0.95),
        curve=read_curve(losses(), {0: 2.41, 30: 1.7, 60: 1.5, 90: 1.42, 120: 1.425}),
        checks={"refusing": checked(folder, word)},
    ).save(folder)


def checked(folder: Path, word: str) -> dict[str, Any]:
    """A check in which the tuned model is clearly worse, and one of its items is not about the figure."""
    base, tuned = (
        Examined(
            [
                {"asked": f"Tell me {n} {word}", "said": f"{text} {word}", "group": f"kind {n % 2} {word}"}
                for n in range(20)
            ],
            {"refused": [*values, math.nan]},
        )
        for text, values in (("No.", [1.0] * 19), ("Well,", [0.0] * 15 + [1.0] * 4))
    )
    write_items(Entry(folder), "refusing", base, tuned)
    figures = [Figure("refused", f"share of harmful requests refused {word}", binary=True)]
    found = compared(f"Refusing {word}", figures, base, tuned, Weighing(17, 2000, 0.95))
    found.charts.append(Chart("bars", f"refused {word}", ["base", f"tuned {word}"], [1.0, 0.2], f"It fell {word}"))
    found.tables.append(Table(f"By language {word}", ("language", "refused"), [(f"fa {word}", 0.5)]))
    found.advice.append(f"Mix refusals into the rows {word}")
    return found.as_json()


def add_deploy(run: Path, word: str = "") -> None:
    exported = {
        form: {
            "path": form,
            "bytes": size,
            "sha256": "ab" * 32,
            "files": {},
            "seconds": 9.7,
            "notes": [word] if word else [],
        }
        for form, size in (("adapter", 19_600_000), ("merged", 538_000_000), ("gguf", 271_000_000))
    }
    asked = {
        "origin": "json.dumps",
        "messages": [{"role": "user", "content": f"Document this: def dumps(obj): ... {word}"}],
        "answer": f"Serialise obj to a JSON string. {word}",
        "reference": "Serialize obj to a JSON formatted str.",
        "finish_reason": "stop",
        "prompt_tokens": 40,
        "completion_tokens": 9,
        "seconds": 0.7,
    }
    service = {
        "model": "demo",
        "engine": {"xllamacpp": {}},
        "serves": "gguf",
        "context": 2048,
        "stop_ids": [2],
        "exports": {form: form for form in exported},
        "records": exported,
        "skipped": {"awq": "needs a GPU"},
        "start": "sevenfold serve runs/demo",
        "smoke": [asked],
    }
    write_json(folder_of(run, "deploy") / "result.json", service)


def add_monitor(run: Path, word: str = "") -> None:
    def window(index: int) -> dict:
        metrics = {
            "requests": 20 + index,
            "errors": index % 2,
            "seconds": {"p50": 0.6 + 0.02 * index, "p95": 1.4, "p99": 2.0},
            "first_token_seconds": {"p50": 0.1, "p95": 0.3, "p99": None},
            "prompt_tokens": 900,
            "completion_tokens": 400,
            "span_seconds": 60.0,
            "requests_per_second": 0.4,
            "tokens_per_second": 7.0,
            "by_model": {"demo": 20},
            "by_user": {},
            "by_project": {},
        }
        finding = {
            "check": "drift",
            "verdict": "ok",
            "figures": {"alarm": 0.0},
            "reason": f"like the training prompts {word}",
        }
        return {"start": 60.0 * index, "end": 60.0 * index + 60, "metrics": metrics, "findings": [finding]}

    seen = {
        "requests": 147,
        "imported": 3,
        "deleted_by_age": 0,
        "deleted_by_count": 0,
        "training_prompts": 1600,
        "compared_prompts": 1000,
        "calibrations": {},
        "windows": [window(index) for index in range(6)],
        "firing": [],
        "events": [
            {
                "run": "demo",
                "rule": "errors > 5",
                "state": "resolved",
                "time": "2026-01-01T00:00:00",
                "value": 0,
                "reason": word,
            }
        ],
        "untold": [],
    }
    Observations.model_validate(seen).save(folder_of(run, "monitor"))


ADD = {
    "prepare": add_prepare,
    "setup": add_setup,
    "tune": add_tune,
    "evaluate": add_evaluate,
    "deploy": add_deploy,
    "monitor": add_monitor,
}


def make_run(run: Path, last: str = "monitor", word: str = "") -> Record:
    """A run up to a stage; ``word`` is put into every text that comes from data."""
    record = Record(run)
    for number, stage in enumerate(STAGES[: STAGES.index(last) + 1]):
        if stage in ("evaluate", "deploy", "monitor"):
            ADD[stage](run, word)
        elif stage in ADD:
            ADD[stage](run)
        folder_of(run, stage)
        record.stages[stage] = StageRecord(
            name=stage,
            identity=str(number) * 64,
            parents={STAGES[number - 1]: str(number - 1) * 64} if number else {},
            state="done",
            started=f"2026-01-01T10:0{number}:00+00:00",
            seconds=(12.1, 3.2, 0.4, 118.0, 95.5, 31.0, 2.2)[number],
            notes=[f"a note of {stage} {word}"],
        )
    if "tune" in record.stages:
        record.stages["tune"].proofs = [
            {"name": "mask", "passed": True, "figure": 0, "limit": 0, "unit": "replies", "what": f"64 replies {word}"},
            {
                "name": "packing",
                "passed": True,
                "figure": 3.1e-7,
                "limit": 1e-4,
                "unit": "relative difference",
                "what": "rows",
            },
        ]
        record.stages["tune"].metrics["plan"] = {
            "parts": {
                "weights": 538_000_000,
                "gradients": 20_000_000,
                "optimiser": 40_000_000,
                "activations": 700_000_000,
            },
            "available_bytes": 6_000_000_000,
            "seconds": 130.0,
            "advice": [],
        }
        record.stages["tune"].metrics["peak_memory_bytes"] = 1_430_000_000
    record.write()
    return record


if __name__ == "__main__":
    import sys
    import time

    from sevenfold import report

    target = Path(sys.argv[1])
    made_record = make_run(target, *sys.argv[2:])
    started = time.perf_counter()
    path = report.write(made_record, recipe())
    print(path, path.stat().st_size, round(time.perf_counter() - started, 2), json.dumps(list(made_record.stages)))  # noqa: T201
