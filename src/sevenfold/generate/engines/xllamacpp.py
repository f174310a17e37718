"""The embedded CPU engine: llama.cpp in this process, several requests at once, on a GGUF.

Requests go to the server that the library opens on a loopback port, behind a random key, because only there are
prompts taken and answers given as token ids. Its own tokenizer and template are never used.
"""

from __future__ import annotations

import http.client
import json
import secrets
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import Field

from sevenfold.chat.encoder import Encoder
from sevenfold.errors import MachineError, ModelError
from sevenfold.generate.engine import Answer, Backend, Capacity, Engine, FinishReason, Sampling
from sevenfold.generate.pieces import text_of


class Xllamacpp(Backend):
    """llama.cpp in this process, on the GGUF export."""

    form: ClassVar[str] = "gguf"

    cache_mib: int = Field(256, ge=0, description="Memory for prompts that were read before, MiB.")

    def open(self, path: Path, encoder: Encoder, capacity: Capacity) -> XllamacppEngine:
        """The engine on the one ``.gguf`` file of a folder, or on the file itself."""
        return XllamacppEngine(gguf_in(path), encoder, capacity, self.cache_mib)


class XllamacppEngine(Engine):
    """A GGUF that answers; calls from several threads share the batch.

    An answer depends in its last bits on what else is computed at that moment and on what is cached, so near ties
    may fall otherwise than alone.

    Args:
        path: The GGUF file.
        encoder: The tokenizer, template and stop tokens of the model.
        capacity: Threads, requests at the same time, and tokens of each.
        cache_mib: Memory for prompts that were read before, MiB.
    """

    name: ClassVar[str] = "xllamacpp"

    def __init__(self, path: Path, encoder: Encoder, capacity: Capacity, cache_mib: int = 256) -> None:
        self.encoder, self.capacity = encoder, capacity
        self.context = min(capacity.context, trained_context(path))
        self.key = secrets.token_hex(16)
        self.server = start(path, self.context, capacity, cache_mib, self.key)
        address = urlsplit(self.server.listening_address)
        self.host, self.port = address.hostname or "127.0.0.1", address.port
        self.workers = ThreadPoolExecutor(capacity.at_once, thread_name_prefix="xllamacpp")

    def generate(self, prompts: Sequence[list[int]], sampling: Sampling) -> list[Answer]:
        """Answers in the order of the prompts, as many at once as the engine has places."""
        bodies = [self.body(prompt, sampling) for prompt in prompts]
        started = time.perf_counter()
        found = list(self.workers.map(self.ask, bodies))
        seconds = time.perf_counter() - started
        return [self.answer(reply, prompt, sampling, seconds) for reply, prompt in zip(found, prompts, strict=True)]

    def answer(self, reply: dict[str, Any], prompt: list[int], sampling: Sampling, seconds: float) -> Answer:
        """The answer in a whole reply; a stop token that llama.cpp does not know ends it here."""
        pieces = text_of(self.encoder, reply["tokens"], sampling.stop)
        reason: FinishReason = "stop" if pieces.ended else finish_reason(reply)
        return Answer(pieces.text, pieces.ids, reason, len(prompt), len(pieces.ids), seconds)

    def stream(self, prompt: list[int], sampling: Sampling) -> Generator[str | Answer, None, None]:
        """The answer's text as llama.cpp gives it; the tokens of one character come together, so ids are left out."""
        started = time.perf_counter()
        parts: list[str] = []
        count = 0
        reason: FinishReason = "length"
        for chunk in self.chunks(self.body(prompt, sampling) | {"stream": True}):
            count = chunk["tokens_predicted"]
            if chunk["stop"]:
                reason = finish_reason(chunk)
            elif self.encoder.stop_ids.intersection(chunk["tokens"]):
                reason = "stop"
                break
            elif piece := chunk["content"] if parts else self.first(chunk):
                parts.append(piece)
                yield piece
        seconds = time.perf_counter() - started
        yield Answer("".join(parts), [], reason, len(prompt), count, seconds)

    def first(self, chunk: dict[str, Any]) -> str:
        """The first piece; some tokenizers leave out the space at the beginning of a text, llama.cpp keeps it."""
        content: str = chunk["content"]
        bare = self.encoder.decode(chunk["tokens"], skip_special=True)
        return content if bare.startswith(" ") else content.removeprefix(" ")

    def next_log_probs(self, prompt: list[int], count: int) -> dict[int, float]:
        """The ``count`` likeliest next tokens with their log-probabilities, nats."""
        # Probabilities are those before the bias, which makes the one token that is drawn a whole text: llama.cpp
        # drops the probabilities of a token that is only a part of a character.
        wanted = {"n_probs": count, "logit_bias": [[self.encoder.end_id, 1e6]]}
        reply = self.ask(self.body(prompt, Sampling(max_new_tokens=1)) | wanted)
        return {item["id"]: item["logprob"] for item in reply["completion_probabilities"][0]["top_logprobs"]}

    def body(self, prompt: list[int], sampling: Sampling) -> dict[str, Any]:
        """A request in llama.cpp's own form with every sampler that is not asked for switched off."""
        return {
            "prompt": prompt,
            "n_predict": self.room(prompt, sampling),
            "temperature": sampling.temperature,
            "samplers": ["top_p", "temperature"] if sampling.temperature > 0 else ["temperature"],
            "top_p": sampling.top_p,
            "seed": secrets.randbits(31) if sampling.seed is None else sampling.seed % (1 << 32),
            "stop": list(sampling.stop),
            "return_tokens": True,
            "repeat_penalty": 1.0,
        }

    def ask(self, body: dict[str, Any]) -> dict[str, Any]:
        """One whole reply."""
        connection, response = self.post(body)
        try:
            reply: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        return reply

    def chunks(self, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The parts of a streamed reply; closing the iterator hangs up, which stops the generation."""
        connection, response = self.post(body)
        try:
            for line in response:
                if line.startswith(b"data: {"):
                    yield json.loads(line[len(b"data: ") :])
        finally:
            connection.close()

    def post(self, body: dict[str, Any]) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Send a request.

        Raises:
            ModelError: llama.cpp refuses it.
        """
        connection = http.client.HTTPConnection(self.host, self.port)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        connection.request("POST", "/completion", json.dumps(body), headers)
        response = connection.getresponse()
        if response.status != 200:
            text = response.read().decode(errors="replace")
            connection.close()
            raise ModelError(f"llama.cpp refused the request: {text[:500]}")
        return connection, response

    def close(self) -> None:
        """Stop the server and free the model."""
        self.workers.shutdown()
        self.server = None


def finish_reason(reply: dict[str, Any]) -> FinishReason:
    """Why llama.cpp stopped: at a token or text that ends an answer, or at the limit."""
    return "length" if reply["stop_type"] in ("limit", "none") else "stop"


def start(path: Path, context: int, capacity: Capacity, cache_mib: int, key: str) -> Any:
    """llama.cpp's server inside this process.

    Raises:
        MachineError: The library is not installed.
        ModelError: The file cannot be opened.
    """
    try:
        from xllamacpp import CommonParams, Server
    except ImportError as error:
        raise MachineError("xllamacpp is not installed", next_step="pip install 'sevenfold[deploy]'") from error
    settings = CommonParams()
    settings.model.path = str(path)
    settings.api_keys = [key]
    settings.n_ctx, settings.n_parallel = context * capacity.at_once, capacity.at_once
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = capacity.threads
    settings.cache_ram_mib = cache_mib
    settings.fit_params = False  # it would shrink the context in silence when memory is short
    settings.verbosity = -1
    try:
        return Server(settings)
    except RuntimeError as error:
        raise ModelError(f"llama.cpp cannot open the model: {error}", where=str(path)) from error


def gguf_in(path: Path) -> Path:
    """The one GGUF file of a folder.

    Raises:
        ModelError: There is none, or more than one.
    """
    if path.is_file():
        return path
    found = sorted(path.glob("*.gguf"))
    if len(found) != 1:
        raise ModelError(f"there are {len(found)} GGUF files", where=str(path), expected="one .gguf file")
    return found[0]


def trained_context(path: Path) -> int:
    """Tokens that the model of a GGUF file was made for.

    Raises:
        ModelError: The file is not a GGUF.
    """
    import gguf

    try:
        fields = gguf.GGUFReader(path).fields
    except (OSError, ValueError) as error:
        raise ModelError(f"not a GGUF file: {error}", where=str(path)) from error
    lengths = [int(field.contents()) for name, field in fields.items() if name.endswith(".context_length")]
    return lengths[0] if lengths else 1 << 30
