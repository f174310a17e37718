"""Puts a benchmark to one model, and turns lm-eval's results into items with values, and figures with errors.

This file imports lm-eval, which is an extra.
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

import lm_eval
import lm_eval.api.task

from sevenfold.evaluate.benchmarks.known import benchmarks
from sevenfold.evaluate.benchmarks.results import Benchmarked, Score
from sevenfold.evaluate.benchmarks.surroundings import SEEDS, known_metrics, own_draws, silence
from sevenfold.evaluate.benchmarks.tasks import Part

if TYPE_CHECKING:
    from lm_eval.api.task import Task

    from sevenfold.evaluate.benchmarks.adapter import EngineLM

RESAMPLES = 100_000
"""Draws behind a standard error that has no formula: lm-eval's own number."""
CHOSEN = ("acc", "acc_norm", "acc_bytes", "acc_mutual_info")
"""Metrics of choosing, for which guessing has a known share."""
PAIRS = ("f1", "mcc")
"""Metrics of all documents whose values are a right and a chosen class; a document's own value: right or not."""
PER_DOCUMENT = {"word_perplexity": "nats_per_word", "byte_perplexity": "nats_per_byte", "perplexity": "nats"}
"""What a document's own value is where the metric is an exponential over all: its logarithm, which has a fair mean."""
SHOWN = 2000
"""Characters of a prompt or an answer that an item keeps."""


def ask(lm: EngineLM, name: str, part: Part, limit: int | None, shots: int | None, chat: bool) -> Benchmarked:
    """One benchmark's results.

    Args:
        lm: The model.
        name: What the recipe calls the benchmark.
        part: Its tasks.
        limit: Documents of each task, the first ones; None: all.
        shots: Examples before each question; None: as the task says.
        chat: Whether questions are turns of a conversation in the model's template.
    """
    with own_draws(), silence(), known_metrics(), no_bars():
        for task in part.tasks.values():
            set_shots(task, shots)
        found = lm_eval.evaluate(
            lm,
            {"tasks": part.tasks, "groups": part.groups},
            limit=limit,
            bootstrap_iters=RESAMPLES,
            log_samples=True,
            apply_chat_template=chat,
            fewshot_as_multiturn=chat,
            # Tasks that run code are only among these where the recipe names them.
            confirm_run_unsafe_code=True,
        )
    assert found is not None
    return results(name, part, found)


def set_shots(task: Task, shots: int | None) -> None:
    """The examples before a question, as lm-eval's command sets them: a task that says 0 keeps it."""
    own = task.get_config("num_fewshot")
    if own is None or (shots is not None and own != 0):
        task.set_config("num_fewshot", shots or 0)
    task.set_fewshot_seed(SEEDS[3])


@contextlib.contextmanager
def no_bars() -> Iterator[None]:
    """lm-eval's own bars and lines, which nothing turns off, out of the way of ours and of the output of --json."""
    import tqdm

    class Silent(tqdm.tqdm):
        def __init__(self, *arguments: Any, **rest: Any) -> None:
            super().__init__(*arguments, **{**rest, "disable": True})

    modules: list[Any] = [tqdm, lm_eval.api.task]
    before = [module.tqdm for module in modules]
    for module in modules:
        module.tqdm = Silent
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        for module, bar in zip(modules, before, strict=True):
            module.tqdm = bar


def results(name: str, part: Part, found: Mapping[str, Any]) -> Benchmarked:
    """lm-eval's results of one benchmark."""
    made = Benchmarked()
    guessing: dict[str, list[tuple[float | None, int]]] = {}
    for task_name, task in part.tasks.items():
        samples = found["samples"][task_name]
        own = of_task(name, task_name, task, samples, several=len(part.tasks) > 1)
        chance = chance_of(name, task, samples)
        made.add(own)
        made.scores += scores_of(task_name, found, chance, task.higher_is_better())
        for figure in own.directions:
            if base_metric(figure, name) in (*CHOSEN, "exact_match"):
                guessing.setdefault(figure, []).append((chance, len(own.items)))
    made.chances = {figure: share for figure, parts in guessing.items() if (share := pooled(parts)) is not None}
    for group in found.get("groups", {}):
        made.scores += scores_of(group, found, None, found["higher_is_better"].get(group, {}))
    return made


def pooled(parts: Sequence[tuple[float | None, int]]) -> float | None:
    """What guessing reaches over the documents of several tasks; None where one task's is not known."""
    known = [(chance, count) for chance, count in parts if chance is not None]
    if len(known) < len(parts):
        return None
    return sum(chance * count for chance, count in known) / sum(count for _, count in known)


def base_metric(figure: str, name: str) -> str:
    """The metric's name in a figure's."""
    return figure.removeprefix(f"{name} ").split(" ")[0]


def of_task(name: str, task_name: str, task: Task, samples: Sequence[dict[str, Any]], several: bool) -> Benchmarked:
    """A task's documents as items, with the values of every metric and filter."""
    made = Benchmarked()
    filters = list(dict.fromkeys(sample["filter"] for sample in samples))
    documents: dict[int, dict[str, Any]] = {}
    for sample in samples:
        item = documents.setdefault(sample["doc_id"], item_of(task_name, sample, several))
        for metric in sample["metrics"]:
            behind = f" ({sample['filter']})" if len(filters) > 1 else ""
            figure, value = value_of(task, metric, sample[metric])
            item["values"][f"{name} {figure}{behind}"] = value
            made.directions[f"{name} {figure}{behind}"] = direction(task, metric, figure)
    rows = [item.pop("values") for item in documents.values()]
    made.items = list(documents.values())
    made.values = {figure: [row.get(figure, math.nan) for row in rows] for figure in made.directions}
    return made


def item_of(task_name: str, sample: Mapping[str, Any], several: bool) -> dict[str, Any]:
    """What was asked and said, short enough to be read; of choices, the likeliest."""
    asked, said, expected = sample["arguments"], sample["filtered_resps"], sample["target"]
    if len(asked) > 1:
        likeliest = max(range(len(said)), key=lambda place: said[place][0])
        # Where the questions differ and not their continuations, the choice is the question.
        texts = [one[1] if len({one[1] for one in asked}) > 1 else one[0] for one in asked]
        said = texts[likeliest]
        expected = texts[expected] if isinstance(expected, int) and expected < len(texts) else expected
    item = {
        "task": task_name,
        "document": sample["doc_id"],
        "asked": str(asked[0][0])[-SHOWN:],
        "expected": str(expected).strip()[:SHOWN],
        "said": str(said[0] if isinstance(said, list) else said).strip()[:SHOWN],
        "values": {},
    }
    return item | ({"group": task_name} if several else {})


def value_of(task: Task, metric: str, value: Any) -> tuple[str, float]:
    """A document's own value, and the name of what it is."""
    if metric in PER_DOCUMENT:
        total, size = value if isinstance(value, list | tuple) else (value, 1)
        return PER_DOCUMENT[metric], -total / size if size else math.nan
    if isinstance(value, bool | int | float):
        return metric, float(value)
    if metric in PAIRS:
        return f"{metric}_right", float(value[0] == value[1])
    try:
        # The metric of this document alone: of a corpus's BLEU, a sentence's.
        alone = float(task.aggregation()[metric]([value]))
    except Exception:  # noqa: BLE001 - what cannot be measured of one document is compared as a whole only
        alone = math.nan
    return metric, alone


def direction(task: Task, metric: str, figure: str) -> str:
    """Whether higher or lower is better."""
    if figure in PER_DOCUMENT.values():
        return "lower"
    return "lower" if task.higher_is_better().get(metric) is False else "higher"


def chance_of(name: str, task: Task, samples: Sequence[Mapping[str, Any]]) -> float | None:
    """What guessing reaches: the mean share of choices that are right, or what the task file or the table says."""
    said = (task.get_config("metadata") or {}).get("chance")
    if said is not None:
        return float(said)
    if task.OUTPUT_TYPE == "multiple_choice":
        return fmean(share_right(task, sample) for sample in samples)
    known = benchmarks().get(name)
    return known.chance if known else None


def share_right(task: Any, sample: Mapping[str, Any]) -> float:
    """The share of a document's choices that count as right."""
    right = sample["target"] if isinstance(sample["target"], list) else [sample["target"]]
    return len(right) / len(task.doc_to_choice(sample["doc"]))


def scores_of(
    task: str, found: Mapping[str, Any], chance: float | None, higher: Mapping[str, bool | None]
) -> list[Score]:
    """A task's or a group's figures over all documents."""
    counts = found["n-samples"].get(task, {})
    scores = []
    for key, value in found["results"][task].items():
        metric = key.partition(",")[0]
        if "," not in key or metric.endswith("_stderr") or not isinstance(value, int | float):
            continue
        error = found["results"][task].get(f"{metric}_stderr,{key.partition(',')[2]}")
        scores.append(
            Score(
                task=task,
                metric=key,
                value=float(value),
                error=float(error) if isinstance(error, int | float) else math.nan,
                better="lower" if higher.get(metric) is False or metric in PER_DOCUMENT else "higher",
                chance=chance if metric in (*CHOSEN, "exact_match") else None,
                documents=int(counts.get("effective", 0)),
                available=int(counts.get("original", 0)),
                version=str(found["versions"].get(task, "")),
                shots=int(found["n-shot"].get(task) or 0),
            )
        )
    return scores
