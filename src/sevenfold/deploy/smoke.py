"""The smoke test: the service answers held-out questions over HTTP, and every exchange is kept."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from itertools import islice
from typing import Any

from sevenfold.deploy.section import DeploySection
from sevenfold.deploy.serve.exchange import Exchange
from sevenfold.deploy.serve.server import background
from sevenfold.deploy.service import TRAFFIC_FILE, Asked, Service
from sevenfold.errors import ModelError
from sevenfold.generate.embeddings import EmbeddingEngine
from sevenfold.prepare.dataset import Dataset, Row
from sevenfold.record import Entry, write_text
from sevenfold.setup.environment import Environment


def try_out(
    service: Service,
    section: DeploySection,
    dataset: Dataset,
    environment: Environment,
    entry: Entry,
    name_of: Callable[[Row], str | None],
) -> list[Asked]:
    """Start the service on a free port, ask the first held-out questions, write ``traffic.jsonl``.

    Args:
        service: Its exports are written; its folder gets the traffic.
        section: How many questions, and the server's settings.
        dataset: Questions and references.
        environment: Threads of the engine.
        entry: Where notes and figures go.
        name_of: The name that a row's question is put to; None where nothing serves it.

    Returns:
        Questions and answers.

    Raises:
        ModelError: The engine cannot open its export, or a question is refused.
    """
    asking = ((row, name) for row in dataset.rows("test") if row.conversation.prompt() and (name := name_of(row)))
    rows = list(islice(asking, section.ask))
    if not rows:
        entry.note("smoke test: the test split has no questions, the service was only started")
    kept: list[Exchange] = []
    with (
        service.open_engine(environment.threads, section.serve.at_once) as engine,
        background(engine, service.model, section.serve, kept.append) as address,
    ):
        way = ask_vector if isinstance(engine, EmbeddingEngine) else ask
        asked = [way(address, name, row, section) for row, name in rows]
    write_text(service.folder / TRAFFIC_FILE, "".join(exchange.to_line() + "\n" for exchange in kept))
    if asked:
        report(asked, entry)
    return asked


def ask(address: str, model: str, row: Row, section: DeploySection) -> Asked:
    """Ask one row's question as any client would."""
    messages = [message.as_dict() for message in row.conversation.prompt()]
    started = time.monotonic()
    body = {"model": model, "messages": messages, "user": "smoke"}
    try:
        reply = post(f"{address}/v1/chat/completions", body, section)
    except ModelError as error:
        raise error.at(row.origin) from None
    choice = reply["choices"][0]
    return Asked(
        origin=row.origin,
        model=model,
        messages=messages,
        answer=choice["message"]["content"],
        reference=row.conversation.reference(),
        finish_reason=choice["finish_reason"],
        prompt_tokens=reply["usage"]["prompt_tokens"],
        completion_tokens=reply["usage"]["completion_tokens"],
        seconds=round(time.monotonic() - started, 4),
    )


def ask_vector(address: str, model: str, row: Row, section: DeploySection) -> Asked:
    """Ask for the vectors of one row's anchor and of its own text, as any client would; the answer is their product."""
    messages = [message.as_dict() for message in row.conversation.prompt()]
    started = time.monotonic()
    texts = {"query": "\n".join(message["content"] for message in messages), "document": row.conversation.reference()}
    try:
        replies = [
            post(f"{address}/v1/embeddings", {"model": model, "input": text, "input_type": kind}, section)
            for kind, text in texts.items()
        ]
    except ModelError as error:
        raise error.at(row.origin) from None
    one, other = (reply["data"][0]["embedding"] for reply in replies)
    near = sum(a * b for a, b in zip(one, other, strict=True))
    return Asked(
        origin=row.origin,
        model=model,
        messages=messages,
        answer=f"product of the two vectors of {len(one)} figures: {near:.4f}",
        reference=row.conversation.reference(),
        finish_reason="stop",
        prompt_tokens=sum(reply["usage"]["prompt_tokens"] for reply in replies),
        completion_tokens=0,
        seconds=round(time.monotonic() - started, 4),
    )


def post(url: str, body: dict[str, Any], section: DeploySection) -> dict[str, Any]:
    """One request; proxies are not asked, the server is on this machine."""
    key = os.environ.get(section.serve.key_variable, "")
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=section.serve.timeout + 5) as response:
            reply: dict[str, Any] = json.loads(response.read())
    except urllib.error.HTTPError as error:
        message = json.loads(error.read())["error"]["message"]
        raise ModelError(f"the service refused a held-out question: {message}") from None
    return reply


def report(asked: list[Asked], entry: Entry) -> None:
    """Say how fast it answered, and one answer."""
    seconds = sum(one.seconds for one in asked)
    tokens = sum(one.completion_tokens for one in asked)
    entry.metric("smoke_questions", len(asked))
    entry.metric("smoke_seconds", [one.seconds for one in asked])
    entry.metric("smoke_tokens_per_second", round(tokens / seconds, 1))
    # A label is no token that is written.
    speed = f"{tokens / seconds:.0f} tokens/s" if tokens else f"{1000 * seconds / len(asked):.0f} ms each"
    entry.note(f"smoke test: {len(asked)} held-out questions answered over HTTP, {speed}")
    first = asked[0]
    entry.console.say(f"  asked: {shortened(first.messages[-1]['content'])}")
    entry.console.say(f"  answered: {shortened(first.answer)}")


def shortened(text: str, most: int = 300) -> str:
    """One line for the terminal; the whole text is in the result."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most]}..."
