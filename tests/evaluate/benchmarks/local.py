"""Small local tasks of every kind that lm-eval has, and a subject to put them to."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from sevenfold.console import Console
from sevenfold.evaluate.jsonl import Kept
from sevenfold.evaluate.subject import Subject
from sevenfold.generate.engines.transformers import TransformersEngine

ROWS = [
    {
        "question": f"the data {number} and the answer{' ' * (number % 2)}",
        "choices": ["the model", "سلام دنیا", f"reads {number}", "x"],
        "answer": number % 4,
        "text": f"the model reads the data {number} and writes the answer. سلام " * (1 + number % 30),
    }
    for number in range(12)
]
SHOWN = [{**row, "question": f"shown {row['question']}"} for row in ROWS[:4]]
FILES = {"dataset_path": "json", "dataset_kwargs": {"data_files": {"test": "rows.jsonl", "train": "shown.jsonl"}}}
SPLITS = {"test_split": "test", "fewshot_split": "train"}
MEAN = {"aggregation": "mean", "higher_is_better": True}
TASKS = {
    "choices": {
        "output_type": "multiple_choice",
        "doc_to_text": "{{question}}:",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "answer",
        "num_fewshot": 2,
        "metric_list": [{"metric": name, **MEAN} for name in ("acc", "acc_norm", "acc_mutual_info", "exact_match")],
    },
    "classes": {
        "output_type": "multiple_choice",
        "doc_to_text": "{{question}}",
        "doc_to_choice": ["no", "yes"],
        "doc_to_target": "{{answer % 2}}",
        "metric_list": [{"metric": "brier_score", "aggregation": "brier_score", "higher_is_better": False}],
    },
    "written": {
        "output_type": "generate_until",
        "doc_to_text": "{{question}}",
        "doc_to_target": "{{choices[0]}}",
        "num_fewshot": 1,
        "generation_kwargs": {"until": ["\n", "e"], "max_gen_toks": 12, "do_sample": False, "temperature": 0.0},
        "filter_list": [
            {"name": "whole", "filter": [{"function": "take_first"}]},
            {
                "name": "letter",
                "filter": [{"function": "regex", "regex_pattern": "([a-z])"}, {"function": "take_first"}],
            },
        ],
        "metric_list": [{"metric": "exact_match", **MEAN}, {"metric": "chrf", **MEAN, "aggregation": "chrf"}],
    },
    "rolling": {
        "output_type": "loglikelihood_rolling",
        "doc_to_text": "",
        "doc_to_target": "{{text}}",
        "metric_list": [
            {"metric": "bits_per_byte", "aggregation": "bits_per_byte", "higher_is_better": False},
            {"metric": "byte_perplexity", "aggregation": "weighted_perplexity", "higher_is_better": False},
        ],
    },
    "last_word": {
        "output_type": "loglikelihood",
        "doc_to_text": "{{text}}",
        "doc_to_target": " {{choices[0]}}",
        "metric_list": [{"metric": "acc", **MEAN}],
    },
}


def write_tasks(folder: Path) -> Path:
    """The task files with their rows."""
    folder.mkdir(exist_ok=True)
    for name, rows in (("rows", ROWS), ("shown", SHOWN)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    for name, fields in TASKS.items():
        task = {"task": name, **FILES, **SPLITS, **fields, "metadata": {"version": 2.0}}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(task, allow_unicode=True), "utf-8")
    return folder


def subject_of(network, encoder, folder: Path, name: str = "base", lead: tuple[int, ...] = ()) -> Subject:
    """A model in the check."""
    engine = TransformersEngine(network, encoder, 4)
    return Subject(
        name, "benchmarks", engine, lead, Kept(folder / f"{name}.jsonl"), 4, Console(quiet=True), [], None, folder, 17
    )
