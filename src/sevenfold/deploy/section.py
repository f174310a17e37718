"""The recipe's section ``deploy``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from sevenfold.deploy.exports import EXPORTS, Export
from sevenfold.generate.engine import Backend
from sevenfold.generate.engines import ENGINES
from sevenfold.generate.engines.xllamacpp import Xllamacpp
from sevenfold.schema import Chosen, Section, Strict


class Serving(Strict):
    """The server: an OpenAI-compatible service in front of one engine."""

    host: str = Field("127.0.0.1", description="The address to listen on; another than this machine's own needs a key.")
    port: int = Field(8000, ge=0, le=65535, description="The port; 0 takes a free one.")
    key_variable: str = Field(
        "SEVENFOLD_API_KEY", description="The environment variable that holds the key; unset: no key is asked for."
    )
    at_once: int = Field(4, ge=1, description="Requests that are answered at the same time.")
    queue: int = Field(16, ge=0, description="Requests that may wait; one more is refused with status 429.")
    timeout: float = Field(120.0, gt=0, description="Longest time of a request, waiting included, seconds.")
    context: int = Field(2048, ge=1, description="Most tokens of a prompt and its answer together.")
    max_new_tokens: int = Field(512, ge=1, description="Most tokens of an answer where a request says nothing.")
    temperature: float = Field(0.0, ge=0, le=2, description="The temperature where a request says nothing; 0: greedy.")
    max_body_bytes: int = Field(1 << 20, ge=1, description="Largest body of a request, bytes.")


class DeploySection(Section):
    """Exports and the service."""

    export: list[Annotated[Export, Chosen(EXPORTS)]] = Field(
        default_factory=lambda: [EXPORTS.find(name)() for name in ("adapter", "merged", "gguf")],
        description="The forms that the tuned model is written in.",
    )
    engine: Annotated[Backend, Chosen(ENGINES)] = Field(
        default_factory=Xllamacpp, description="What answers in the service; it opens one of the exports."
    )
    serve: Serving = Field(default_factory=Serving, description="The server.")
    ask: int = Field(4, ge=0, description="Held-out prompts that the service is asked as a smoke test.")

    @field_validator("export")
    @classmethod
    def each_once(cls, chosen: list[Export]) -> list[Export]:
        """Every form at most once: its name is its folder."""
        names = [EXPORTS.name_of(export) for export in chosen]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands twice")
        return chosen

    @model_validator(mode="after")
    def engine_has_its_export(self) -> DeploySection:
        """The engine opens an export that is written."""
        names = [EXPORTS.name_of(export) for export in self.export]
        if self.engine.form not in names:
            engine = ENGINES.name_of(self.engine)
            fitting = [name for name in ENGINES.names() if ENGINES.find(name).form in names]
            raise ValueError(
                f"the engine {engine} opens the export {self.engine.form}, which is not in export: {names}; "
                f"add it, or choose an engine that opens one of these: {', '.join(fitting) or 'none'}"
            )
        return self
