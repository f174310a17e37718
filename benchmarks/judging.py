"""How often each form of the metrics of passages puts the better of two made cases first, and whether forms agree.

The cases are those of the tests (tests/evaluate/metrics/grounded.py): 8 topics, three of them Persian. The forms are
words alone, and a judge. With no arguments the judge is the embedded model behind a small server of this script; an
address and a model's name ask another. The number is of topics: 2 for each second one, where a judge is slow.

    OMP_NUM_THREADS=1 PYTHONPATH=src:. python benchmarks/judging.py EVERY [ADDRESS MODEL]
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from scipy.stats import spearmanr

import sevenfold
from sevenfold.chat.conversation import Message
from sevenfold.evaluate.metrics import METRICS
from sevenfold.evaluate.metrics._grounded import Grounded
from sevenfold.generate.engines.transformers import TransformersEngine
from tests.evaluate.metrics.asked import question
from tests.evaluate.metrics.grounded import BLIND, pairs
from tests.generate.judging import Service, service

EMBEDDED = "smollm2-135m"


@contextmanager
def embedded() -> Iterator[Service]:
    """The embedded model as a judge: it says the likeliest next token and the probabilities of twenty."""
    with tempfile.TemporaryDirectory() as folder:
        model = sevenfold.load(Path(folder) / "load", model=EMBEDDED)
        engine = TransformersEngine(model.network(torch.float32), model.encoder())

        def says(asked: str) -> tuple[int, str, dict[str, float]]:
            ids = engine.encoder.prompt((Message("user", asked),))
            found = engine.next_log_probs(ids, 20)
            shares = {
                engine.encoder.tokenizer.decode([one]): float(torch.tensor(log).exp()) for one, log in found.items()
            }
            digits = {token: share for token, share in shares.items() if token.strip() in "12345" and token.strip()}
            # A model that begins with a word has still an opinion of the digits.
            return 200, max(digits, key=digits.__getitem__) if digits else max(shares, key=shares.__getitem__), shares

        with service(says) as found:
            yield found


def first(better: list[float], worse: list[float]) -> float:
    """The share of pairs whose better case is first; equal ones count a half."""
    return sum(0.5 if a == b else float(a > b) for a, b in zip(better, worse, strict=True)) / len(better)


def main(arguments: list[str]) -> None:
    """Print a line for each metric."""
    every, *other = arguments
    with nullcontext(None) if other else embedded() as own:
        address, name = other or (own.address, EMBEDDED)
        judge = {
            "by": "judge",
            "judge": {"address": address, "model": name, "at_once": 1, "seconds": 600, "unjudged": "worst"},
        }
        cases = {metric: [case for pair in some for case in pair] for metric, some in pairs(int(every)).items()}
        cases["factuality, opposites"] = [
            (asked, context, claim) for asked, context, right, wrong in BLIND[:: int(every)] for claim in (right, wrong)
        ]
        for title, some in cases.items():
            kind = METRICS.find(title.partition(",")[0])
            assert issubclass(kind, Grounded)
            asked = [question(text, context=context, number=number) for number, (text, context, _) in enumerate(some)]
            answers = [answer for _, _, answer in some]
            text, judged = kind().values(answers, asked), kind.model_validate(judge).values(answers, asked)
            row = {
                "metric": title,
                "pairs": len(some) // 2,
                "text": round(first(text[::2], text[1::2]), 3),
                "judge": round(first(judged[::2], judged[1::2]), 3),
                "rank correlation": round(float(spearmanr(text, judged).statistic), 3),
            }
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
