"""A model behind an OpenAI-compatible address that is asked for texts; every answer is kept and asked for once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from sevenfold.errors import MachineError, RecipeError, first_line
from sevenfold.prepare.keys import hashed
from sevenfold.prepare.work import Work
from sevenfold.schema import Strict

if TYPE_CHECKING:
    from openai import OpenAI


def without_secret(address: str) -> str:
    """Refuse an address with a user or password, or that is none."""
    if address.startswith("$"):
        return address
    if not address.startswith(("http://", "https://")):
        raise ValueError("expected $NAME, an environment variable with the address, or http://... or https://...")
    if "@" in urlsplit(address).netloc:
        raise ValueError("the address carries a user or a password; name an environment variable that holds it: $NAME")
    return address


class Endpoint(Strict):
    """Who is asked: any service that answers /chat/completions in OpenAI's form, `sevenfold serve` among them."""

    address: Annotated[str, AfterValidator(without_secret)] = Field(
        "$SYNTHESIS_URL", description="The base address, http://127.0.0.1:8000/v1; or $NAME, a variable that holds it."
    )
    model: str = Field(description="The model's name at the service.")
    key_variable: str = Field("OPENAI_API_KEY", description="The environment variable that holds the service's key.")
    temperature: float = Field(0.8, ge=0, le=2, description="0: the likeliest text; more: more varied.")
    max_tokens: int = Field(1024, ge=1, description="Tokens of an answer at most.")
    seconds: float = Field(120.0, gt=0, description="The longest that one try may take, seconds.")
    tries: int = Field(3, ge=1, description="Tries in all, when the service is busy or broken.")

    def found(self) -> str:
        """The address itself.

        Raises:
            RecipeError: The variable is not set.
        """
        if not self.address.startswith("$"):
            return self.address
        name = self.address.removeprefix("$")
        if not os.environ.get(name):
            raise RecipeError(
                f"the environment variable {name!r} with the address of a model is not set",
                where="prepare.training",
                expected="a base address such as http://127.0.0.1:8000/v1",
                next_step=f"export {name}=http://127.0.0.1:8000/v1, where `sevenfold serve` or another service listens",
            )
        return os.environ[name]


class Asking:
    """Questions to an endpoint, with the answers of an earlier, killed run of the same work.

    Args:
        endpoint: Who is asked.
        work: Names the file, ``requests-NAME.jsonl`` in the stage's folder: one answer a line.
    """

    def __init__(self, endpoint: Endpoint, work: Work) -> None:
        self.endpoint = endpoint
        self.path = work.folder / f"requests-{work.name}.jsonl"
        self.kept = kept_answers(self.path)
        self.asked = self.reused = self.tokens = 0

    def answer(self, prompt: str, number: int = 0) -> str:
        """What the model writes to a prompt.

        Args:
            prompt: The whole question.
            number: Tells repetitions of one prompt apart.

        Raises:
            MachineError: The service does not answer, or refuses the key, the model or the question.
        """
        from_service = self.endpoint.model_dump(include={"model", "temperature", "max_tokens"}, mode="json")
        return str(self.once({"prompt": prompt, "number": number, **from_service}, lambda: self.complete(prompt)))

    def once(self, question: dict[str, Any], ask: Callable[[], tuple[Any, int]]) -> Any:
        """The answer to a question, asked only if it never was.

        Args:
            question: All that the answer depends on.
            ask: Gives the answer and the tokens that it took.
        """
        key = f"{hashed([json.dumps(question, sort_keys=True)], 16):032x}"
        if key in self.kept:
            self.reused += 1
            return self.kept[key]
        answer, tokens = ask()
        self.asked += 1
        self.tokens += tokens
        self.kept[key] = answer
        with self.path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            line = {"key": key, **question, "answer": answer, "tokens": tokens}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        return answer

    def complete(self, prompt: str) -> tuple[str, int]:
        """One request; gives the answer and the tokens that it took, question included."""
        import openai

        try:
            reply = self.client.chat.completions.create(
                model=self.endpoint.model,
                messages=[{"role": "user", "content": prompt}],
                temperature=self.endpoint.temperature,
                max_tokens=self.endpoint.max_tokens,
            )
        except openai.OpenAIError as error:
            raise MachineError(
                f"the model cannot be asked: {first_line(error)}",
                where=self.endpoint.found(),
                expected="an address that answers /chat/completions in OpenAI's form, with this model",
                next_step=f"look whether the service runs, has the model {self.endpoint.model!r} and takes the key in "
                f"${self.endpoint.key_variable}; {len(self.kept)} answers are kept and will not be asked for again",
            ) from None
        return reply.choices[0].message.content or "", reply.usage.total_tokens if reply.usage else 0

    @cached_property
    def client(self) -> OpenAI:
        """The connection.

        Raises:
            MachineError: The client's library is not installed.
        """
        try:
            from openai import OpenAI
        except ImportError:
            raise MachineError(
                "asking a model needs the package openai", next_step="pip install 'sevenfold[judge]'"
            ) from None
        key = os.environ.get(self.endpoint.key_variable) or "none"
        return OpenAI(
            base_url=self.endpoint.found(),
            api_key=key,
            timeout=self.endpoint.seconds,
            max_retries=self.endpoint.tries - 1,
        )


def kept_answers(path: Path) -> dict[str, Any]:
    """The answers that a file keeps; a last line that a kill cut off is taken away."""
    if not path.is_file():
        return {}
    whole, _, cut = path.read_bytes().rpartition(b"\n")
    if cut:
        path.write_bytes(whole + b"\n" if whole else b"")
    lines = (json.loads(line) for line in whole.decode("utf-8").split("\n") if line)
    return {line["key"]: line["answer"] for line in lines}
