"""Answers judged by several rewards: in time, or counted as failed."""

from __future__ import annotations

import json
import math
import queue
import subprocess
import sys
import threading
import weakref
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from sevenfold.errors import DataError, MachineError, RecipeError
from sevenfold.schema import Chosen
from sevenfold.tune.rewards import REWARDS, Answered, Reward

STARTING = 60.0
"""Seconds in which a process that judges has to be ready."""


@dataclass
class Judged:
    """What answers are worth.

    Args:
        totals: The weighted sum of all rewards of each answer.
        by_name: Each reward's own values.
        failures: Judgements that failed, by reward and reason, with their numbers.
    """

    totals: list[float]
    by_name: dict[str, list[float]]
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def figures(self) -> dict[str, float]:
        """Mean rewards, and the share of judgements that failed."""
        named = {f"reward {name}": fmean(values) for name, values in self.by_name.items()}
        count = len(self.totals) * len(self.by_name)
        shown = named if len(named) > 1 else {}
        return {"reward": fmean(self.totals), **shown, "failed rewards": sum(self.failures.values()) / count}

    @property
    def notes(self) -> tuple[str, ...]:
        """What failed."""
        return tuple(f"reward {reason}" for reason in self.failures)


class Judges:
    """The rewards of an objective, those that need one in a process of their own.

    Args:
        rewards: By what the recipe chose.
    """

    def __init__(self, rewards: Sequence[Reward]) -> None:
        names = [REWARDS.name_of(reward).removeprefix("sevenfold_user_") for reward in rewards]
        twice = Counter(names)
        self.rewards = {
            name if twice[name] == 1 else f"{name} {number}": reward
            for number, (name, reward) in enumerate(zip(names, rewards, strict=True), start=1)
        }
        self.processes: dict[str, Process] = {}

    def judge(self, answered: Sequence[Answered]) -> Judged:
        """What some answers are worth; a failure has its reward's stated value."""
        failures: Counter[str] = Counter()
        by_name = {name: self.values(name, reward, answered, failures) for name, reward in self.rewards.items()}
        totals = [
            sum(reward.weight * by_name[name][place] for name, reward in self.rewards.items())
            for place in range(len(answered))
        ]
        return Judged(totals, by_name, failures)

    def values(self, name: str, reward: Reward, answered: Sequence[Answered], failures: Counter[str]) -> list[float]:
        """One reward's values."""
        found = []
        with ThreadPoolExecutor(reward.threads) as pool:
            for value, reason in pool.map(lambda one: self.one(name, reward, one), answered):
                if reason:
                    failures[f"{name}: {reason}; it counts as {reward.failed:g}"] += 1
                found.append(reward.failed if reason else value)
        return found

    def one(self, name: str, reward: Reward, answered: Answered) -> tuple[float, str]:
        """A value, or why there is none.

        Raises:
            MachineError: What the reward needs is not installed.
        """
        if reward.apart:
            said = self.process(name, reward).ask(answered.as_json(), reward.seconds)
            if "missing" in said:
                raise MachineError(said["missing"])
            return read(said)
        try:
            return read({"value": reward.value(answered)})
        except DataError as error:
            return math.nan, error.problem

    def process(self, name: str, reward: Reward) -> Process:
        """The process of a reward, started when it is first asked and again when it was ended."""
        if name not in self.processes or self.processes[name].ended:
            self.processes[name] = Process(name, Chosen(REWARDS).dump(reward))
        return self.processes[name]


def read(said: dict[str, Any]) -> tuple[float, str]:
    """A value from what a judge said, or why there is none."""
    if "value" in said and math.isfinite(said["value"]):
        return float(said["value"]), ""
    if "error" in said:
        return math.nan, str(said["error"])
    return math.nan, f"gave {said.get('odd', said.get('value'))}, which is not a number"


class Process:
    """A reward in a process of its own, which is ended when it does not answer in time.

    Args:
        name: For messages.
        chosen: The reward as a recipe writes it.

    Raises:
        RecipeError: The reward cannot be made there.
    """

    def __init__(self, name: str, chosen: dict[str, Any]) -> None:
        command = [sys.executable, "-m", "sevenfold.tune.rewards._worker"]
        self.inner = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", bufsize=1
        )
        self.ended = False
        self.said: queue.Queue[str] = queue.Queue()
        threading.Thread(target=pass_on, args=(self.inner.stdout, self.said), daemon=True).start()
        weakref.finalize(self, self.inner.kill)
        started = self.ask(chosen, STARTING)
        if not started.get("ready"):
            self.end()
            raise RecipeError(f"the reward {name} cannot be used: {started.get('error', 'its process ended')}")

    def ask(self, question: dict[str, Any], seconds: float) -> dict[str, Any]:
        """One line for one line; without an answer in time the process is ended."""
        assert self.inner.stdin is not None
        try:
            self.inner.stdin.write(json.dumps(question) + "\n")
            self.inner.stdin.flush()
            line = self.said.get(timeout=seconds)
        except queue.Empty:
            self.end()
            return {"error": f"took longer than {seconds:g} s"}
        except BrokenPipeError:
            line = ""
        if not line:
            self.end()
            return {"error": "its process ended"}
        found: dict[str, Any] = json.loads(line)
        return found

    def end(self) -> None:
        """Kill the process."""
        self.ended = True
        self.inner.kill()
        self.inner.wait()


def pass_on(lines: Any, said: queue.Queue[str]) -> None:
    """Put each line into a queue, and an empty one at the end."""
    for line in lines:
        said.put(line)
    said.put("")
