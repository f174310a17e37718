"""A reward in a process of its own: one JSON line in, one out, until the input ends."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO

from sevenfold.errors import MachineError
from sevenfold.schema import Chosen
from sevenfold.tune.rewards import REWARDS, Answered


def main() -> None:
    """Serve the reward that the first line describes."""
    # What a user's code prints must not stand among the answers.
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        reward: Any = Chosen(REWARDS).choose(json.loads(sys.stdin.readline()))
    except Exception as error:  # noqa: BLE001 - told to the process that asked
        tell(replies, {"error": f"{type(error).__name__}: {error}"})
        return
    tell(replies, {"ready": True})
    for line in sys.stdin:
        tell(replies, judged(reward, Answered.of(json.loads(line))))


def judged(reward: Any, answered: Answered) -> dict[str, Any]:
    """The value, or why there is none."""
    try:
        value = reward.value(answered)
        return {"value": float(value)} if isinstance(value, (bool, int, float)) else {"odd": repr(value)[:200]}
    except MachineError as error:
        return {"missing": str(error)}
    except Exception as error:  # noqa: BLE001 - a user's code may raise anything; it is counted and shown
        return {"error": f"{type(error).__name__}: {error}"[:500]}


def tell(replies: TextIO, said: dict[str, Any]) -> None:
    """One line."""
    replies.write(json.dumps(said) + "\n")
    replies.flush()


if __name__ == "__main__":
    main()
