"""Evaluated runs of our own making, and people who judge as they are told."""

from __future__ import annotations

import json
import random
from pathlib import Path

from sevenfold.evaluate.human.contest import Contest, read_contest
from sevenfold.evaluate.human.judgements import Judgement, Judgements
from sevenfold.evaluate.human.order import first_on_left

PERSIAN = "این فیلم را ۳ بار دیدم؛ عالی بود!"
HOSTILE = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'></script>"


def row(number: int, base: str, tuned: str, **values: tuple[float, float]) -> dict:
    sides = zip(("base", "tuned"), (base, tuned), (0, 1), strict=True)
    return {
        "row": number,
        "origin": f"rows.jsonl:{number}",
        "prompt": [{"role": "user", "content": f"question {number}"}],
        "reference": f"reference {number}",
        "weights": dict.fromkeys(values, 1.0),
        **{
            name: {
                "text": text,
                "finish_reason": "stop",
                "tokens": 3,
                "values": {key: pair[side] for key, pair in values.items()},
            }
            for name, text, side in sides
        },
    }


def plain_rows(count: int) -> list[dict]:
    """Rows whose two answers differ; chrF always prefers the tuned one and loss, which is to be low, the base."""
    return [
        row(number, f"plain answer {number}", f"other answer {number}", chrf=(0.2, 0.6), loss=(1.0, 2.0))
        for number in range(count)
    ]


def write_run(folder: Path, rows: list[dict], directions: dict[str, str] | None = None) -> Path:
    """``5-evaluate`` of a run; gives the file of rows."""
    place = folder / "5-evaluate"
    place.mkdir(parents=True)
    (folder / "record.json").write_text(json.dumps({"name": folder.name, "stages": {}}))
    ways = directions or {"chrf": "higher", "loss": "lower"}
    (place / "result.json").write_text(
        json.dumps({"metrics": {name: {"direction": way} for name, way in ways.items()}})
    )
    path = place / "rows.jsonl"
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows), encoding="utf-8")
    return path


def contest_of(folder: Path, rows: list[dict], seed: int = 17) -> Contest:
    return read_contest({"run": write_run(folder / "run", rows)}, seed)


class Person:
    """Someone who prefers tuned with a probability, and the left side with another.

    Args:
        name: Their name.
        prefers: How likely tuned is preferred where neither is a tie.
        ties: How likely both are called good.
        left: How likely the left side is taken whatever it says.
    """

    def __init__(self, name: str, prefers: float = 0.7, ties: float = 0.0, left: float = 0.0, seed: int = 1) -> None:
        self.name, self.prefers, self.ties, self.left = name, prefers, ties, left
        self.draw = random.Random(f"{name} {seed}")

    def judge(self, contest: Contest, judgements: Judgements, count: int | None = None) -> None:
        straight = first_on_left(contest.duels, 17, self.name)
        judgements.append(self.of(contest, place, straight[place]) for place in range(len(contest.duels))[:count])

    def of(self, contest: Contest, place: int, straight: bool) -> Judgement:
        duel = contest.duels[place]
        if self.draw.random() < self.ties:
            choice = "both"
        elif self.draw.random() < self.left:
            choice = "left"
        else:
            tuned = self.draw.random() < self.prefers
            choice = "left" if tuned != straight else "right"
        return Judgement(duel.origin, duel.digests[0 if straight else 1], choice, self.name, 4.0)
