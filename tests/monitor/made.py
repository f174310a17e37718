"""Made traffic: real prompts about Python functions, and what can go wrong planted in it."""

from __future__ import annotations

import importlib
import inspect
import random
from functools import cache
from typing import Any

from sevenfold.deploy.serve.exchange import Exchange
from sevenfold.monitor.baseline import Baseline
from sevenfold.monitor.window import Window

MODULES = (
    "argparse asyncio.tasks calendar collections configparser copy csv datetime difflib dis doctest email.message "
    "fractions ftplib http.client imaplib inspect ipaddress json logging mailbox optparse pathlib pdb pickletools "
    "random shutil smtplib statistics subprocess tarfile tempfile textwrap threading trace typing unittest.case "
    "urllib.request zipfile _pydecimal"
)
START = 1_700_000_000.0


def functions(module: Any) -> list[Any]:
    """The documented functions and methods of a module."""
    classes = [item for item in vars(module).values() if inspect.isclass(item) and item.__module__ == module.__name__]
    found = [item for owner in (module, *classes) for item in vars(owner).values() if inspect.isfunction(item)]
    return [item for item in found if item.__doc__ and item.__module__ == module.__name__]


@cache
def documented() -> list[tuple[str, str]]:
    """Prompts that ask for a function's documentation, with the true one; shuffled, each once."""
    items = [item for name in MODULES.split() for item in functions(importlib.import_module(name))]
    pairs = {f"Document this function:\n{inspect.getsource(item)[:1500]}": item.__doc__ for item in items}
    found = sorted(pairs.items())
    random.Random(0).shuffle(found)
    return found


def task_prompts(count: int) -> list[str]:
    return [prompt for prompt, _ in documented()[:count]]


def persian_prompts(count: int) -> list[str]:
    draw = random.Random(1)
    things = ["جمع", "ضرب", "میانگین", "بیشینه‌ی دنباله"]
    return [
        f"لطفاً برای این تابع مستند بنویس که عدد {n} را می‌گیرد و {draw.choice(things)} را برمی‌گرداند."
        for n in range(count)
    ]


def other_task(count: int) -> list[str]:
    draw = random.Random(2)
    topics, days = ["the budget", "hiring", "the new office"], ["Monday", "Friday", "tomorrow"]
    return [
        f"Summarise this email in {n % 5 + 1} sentences: Dear all, the meeting on {draw.choice(topics)} "
        f"has moved to {draw.choice(days)}. Best, {draw.choice(['Ali', 'Mina', 'Tom'])}"
        for n in range(count)
    ]


def exchange(number: int = 0, prompt: str = "what is a cat?", **changes: Any) -> Exchange:
    values: dict[str, Any] = {
        "id": f"req-{number:05d}",
        "time": START + number,
        "model": "demo",
        "messages": [{"role": "user", "content": prompt}],
        "answer": "A cat is a small animal.",
        "finish_reason": "stop",
        "prompt_tokens": 10,
        "completion_tokens": 7,
        "seconds": 0.5,
        "first_token_seconds": 0.1,
        "status": 200,
        "error": None,
        "user": None,
        "project": None,
    }
    return Exchange(**{**values, **changes})


def window(count: int = 200, bad: int = 0, **changes: Any) -> Window:
    """Healthy requests, the last ``bad`` of them changed."""
    return Window([exchange(n, **(changes if n >= count - bad else {})) for n in range(count)])


def asking(prompts: list[str]) -> Window:
    return Window([exchange(n, prompt) for n, prompt in enumerate(prompts)])


def baseline(prompts: list[str] | None = None) -> Baseline:
    kept = task_prompts(500) if prompts is None else prompts
    return Baseline(dataset="", seed=17, size=500, seen=len(kept), prompts=kept)
