"""Speed of evaluation beside transformers' own generation and lm-eval's own backend: ``make bench-evaluation``.

One process, one network, alternating rounds: the embedded model answers documented functions of the Python standard
library, and ranks four names behind each description, without and behind solved examples. Each contestant is asked the
same prompts and the same requests; ratios are taken within a round, their medians go to ``benchmarks/RESULTS.md``.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, median
from typing import Any

from sevenfold import cores

cores.share()

import torch  # noqa: E402 (the thread policy is read when torch is imported)

import sevenfold  # noqa: E402
from sevenfold.chat.encoder import TokenSequence  # noqa: E402
from sevenfold.generate.engine import Sampling  # noqa: E402
from sevenfold.generate.engines.transformers import TransformersEngine  # noqa: E402

RESULTS = Path(__file__).parent / "RESULTS.md"
CHOICES, EXAMPLES = 4, 5
Request = tuple[str, str]
"""A context and a continuation, as lm-eval asks them."""


@dataclass
class Contestant:
    """One way to do the work.

    Args:
        name: What it is called in the table.
        work: Gives what is compared: ids of answers, or sums of log-probabilities.
        seconds: Of each round.
        gives: What the last round gave.
    """

    name: str
    work: Callable[[], list[Any]]
    seconds: list[float] = field(default_factory=list)
    gives: list[Any] = field(default_factory=list)

    def take(self) -> None:
        started = time.perf_counter()
        self.gives = self.work()
        self.seconds.append(time.perf_counter() - started)
        sys.stderr.write(f"{self.name}: {self.seconds[-1]:.1f} s, load {os.getloadavg()[0]:.1f}\n")


def engine_of(folder: Path, precision: str) -> tuple[TransformersEngine, Any]:
    """The embedded model's engine, and rows to ask it."""
    dataset = sevenfold.prepare(folder / "1-prepare", source={"python": "stdlib"}, clean=["empty", {"length": 1200}])
    model = sevenfold.load(folder / "2-load")
    return TransformersEngine(model.network(getattr(torch, precision)), model.encoder()), dataset


def generating(engine: TransformersEngine, prompts: list[list[int]], tokens: int, batch: int) -> list[Contestant]:
    """Ours, transformers with one prompt at a time, and with padded batches by length."""
    sampling = Sampling(max_new_tokens=tokens)

    def ours() -> list[list[int]]:
        return [answer.ids for answer in engine.generate(prompts, sampling)]

    def padded(size: int) -> list[list[int]]:
        order = sorted(range(len(prompts)), key=lambda index: -len(prompts[index]))
        found: list[list[int]] = [[]] * len(prompts)
        for start in range(0, len(order), size):
            group = order[start : start + size]
            for index, ids in zip(group, plainly(engine, [prompts[one] for one in group], tokens), strict=True):
                found[index] = ids
        return found

    return [
        Contestant("sevenfold", ours),
        Contestant("transformers.generate, one prompt at a time", lambda: padded(1)),
        Contestant(f"transformers.generate, {batch} prompts of like length", lambda: padded(batch)),
    ]


def plainly(engine: TransformersEngine, prompts: list[list[int]], tokens: int) -> list[list[int]]:
    """The ids behind each prompt, up to the stop token, by one call of ``generate``."""
    network, stop = engine.network, engine.encoder.stop_ids
    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    with torch.inference_mode():
        written = network.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=tokens,
            do_sample=False,
            eos_token_id=sorted(stop),
            pad_token_id=0,
        )[:, width:].tolist()
    ends = [next((place + 1 for place, token in enumerate(row) if token in stop), len(row)) for row in written]
    return [row[:end] for row, end in zip(written, ends, strict=True)]


def requests_of(rows: list[Any], count: int, examples: int) -> list[Request]:
    """Multiple choice: which of four names does the function have that a row's answer describes."""
    draws = random.Random(17)
    described = [(name_of(row), " ".join(row.conversation.reference().split())) for row in rows]
    names = [name for name, _ in described]

    def asked(text: str) -> str:
        return f"Description: {text}\nThe function is called"

    solved = "".join(f"{asked(text)} {name}\n\n" for name, text in described[-examples:]) if examples else ""
    found: list[Request] = []
    for name, text in described[:count]:
        choices = [name, *draws.sample([other for other in names if other != name], CHOICES - 1)]
        found += [(solved + asked(text), f" {choice}") for choice in choices]
    return found


def name_of(row: Any) -> str:
    """The name of the function that a row is about."""
    return row.conversation.messages[-2].content.partition("def ")[2].partition("(")[0] or "main"


def scoring(engine: TransformersEngine, requests: list[Request], batches: list[int]) -> list[Contestant]:
    """Ours and lm-eval's ``HFLM`` with the same network and the same tokens."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    asked = [Instance("loglikelihood", {}, request, number) for number, request in enumerate(requests)]

    def theirs(size: int) -> HFLM:
        return HFLM(engine.network, tokenizer=engine.encoder.tokenizer, batch_size=size, device="cpu")

    def ours() -> list[float]:
        encode = encoder._encode_pair  # how lm-eval cuts a text into context and continuation is no part of the race
        pairs = [encode(*request) for request in requests]
        sequences = [TokenSequence([*context, *own], [0.0] * len(context) + [1.0] * len(own)) for context, own in pairs]
        return [-score.nll for score in engine.score(sequences)]

    encoder = theirs(1)

    def asking(size: int) -> Callable[[], list[float]]:
        other = theirs(size)
        return lambda: [value for value, _ in other.loglikelihood(asked, disable_tqdm=True)]

    return [
        Contestant("sevenfold", ours),
        *(Contestant(f"lm-eval's HF backend, batch_size {size}", asking(size)) for size in batches),
    ]


def race(contestants: list[Contestant], rounds: int) -> None:
    """Rounds in which all take turns; every other one backwards, so that no one is always behind the same."""
    for number in range(rounds):
        for contestant in contestants if number % 2 == 0 else reversed(contestants):
            contestant.take()


def table(title: str, contestants: list[Contestant], alike: Callable[[list[Any], list[Any]], str]) -> list[str]:
    """The lines of one race."""
    ours = contestants[0]
    lines = [f"| {title} | seconds | ours is faster by | beside ours |", "|---|---|---|---|"]
    for one in contestants:
        ratio = median(theirs / own for theirs, own in zip(one.seconds, ours.seconds, strict=True))
        same = "" if one is ours else alike(ours.gives, one.gives)
        lines.append(f"| {one.name} | {median(one.seconds):.1f} | {ratio:.1f} x | {same} |")
    return [*lines, ""]


def same_answers(ours: list[list[int]], theirs: list[list[int]]) -> str:
    """How many answers are the same, and how much of the others is the same from their start."""
    shares = []
    for one, other in zip(ours, theirs, strict=True):
        same = next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
        shares.append(1.0 if one == other else (same or 0) / max(len(one), len(other)))
    return f"{sum(share == 1 for share in shares)} of {len(shares)} answers the same, {fmean(shares):.0%} of tokens"


def same_scores(ours: list[float], theirs: list[float]) -> str:
    """How far scores are off, and how many questions have the same best choice."""
    gaps = [abs(one - other) for one, other in zip(ours, theirs, strict=True)]
    starts = range(0, len(ours), CHOICES)

    def best(scores: list[float], start: int) -> int:
        return max(range(CHOICES), key=lambda place: scores[start + place])

    same = sum(best(ours, start) == best(theirs, start) for start in starts)
    off = f"off by {max(gaps):.1e} nats at most, {fmean(gaps):.1e} in the mean"
    return f"{off}; {same} of {len(starts)} choices the same"


def main(options: argparse.Namespace) -> None:
    torch.set_num_threads(options.threads)
    lines: list[str] = []
    for precision in options.precisions:
        with tempfile.TemporaryDirectory() as folder:
            engine, dataset = engine_of(Path(folder), precision)
            rows = dataset.head("train", 400)
            talks = [row.conversation.messages[:-1] for row in rows]
            prompts = [engine.encoder.prompt(list(talk)) for talk in talks[: options.prompts]]
            generation = generating(engine, prompts, options.tokens, options.batch)
            engine.generate(prompts[:2], Sampling(max_new_tokens=2))
            race(generation, options.rounds)
            mean = fmean(map(len, prompts))
            title = f"{precision}: {len(prompts)} answers of at most {options.tokens} tokens, prompts of {mean:.0f}"
            lines += table(title, generation, same_answers)
            for examples in (0, EXAMPLES):
                requests = requests_of(rows, options.questions // (1 + 3 * bool(examples)), examples)
                scores = scoring(engine, requests, options.batches)
                race(scores, options.rounds)
                behind = f", behind {examples} solved ones" if examples else ""
                title = f"{precision}: {len(requests) // CHOICES} questions of {CHOICES} choices{behind}"
                lines += table(title, scores, same_scores)
    write("\n".join([*lines, machine(options)]))


def machine(options: argparse.Namespace) -> str:
    """Where and when this was measured."""
    import lm_eval
    import transformers

    return (
        f"{options.rounds} rounds, {options.threads} threads, load {os.getloadavg()[1]:.1f} at the end (up to 2 "
        f"are this measurement's own); AMD EPYC, {os.cpu_count()} cores, torch {torch.__version__}, transformers "
        f"{transformers.__version__}, lm-eval {lm_eval.__version__}, {datetime.now(UTC):%Y-%m-%d}"
    )


def write(text: str) -> None:
    """Put the tables between their marks."""
    begin, end = "<!-- evaluation:begin -->", "<!-- evaluation:end -->"
    before, _, rest = RESULTS.read_text(encoding="utf-8").partition(begin)
    RESULTS.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}", encoding="utf-8")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--precisions", nargs="+", default=["bfloat16", "float32"])
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--batch", type=int, default=16, help="prompts of transformers' padded batches")
    parser.add_argument("--questions", type=int, default=48)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 16], help="lm-eval's batch sizes")
    main(parser.parse_args())
