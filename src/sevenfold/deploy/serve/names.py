"""The names that requests may use: the model's, and one for each of its adapters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sevenfold.deploy.serve.refusal import Refusal
from sevenfold.generate.engine import Engine


def under(model: str, task: str) -> str:
    """The name of a task's adapter as ``/v1/models`` lists it."""
    return f"{model}/{task}"


@dataclass(frozen=True)
class Names:
    """Which engine answers to which name.

    Args:
        model: The model's own name; where there are several adapters, the one that answers by default.
        engines: Every listed name with its engine.
        short: Other names of these: a task's alone.
    """

    model: str
    engines: Mapping[str, Engine]
    short: Mapping[str, str]

    @classmethod
    def of(cls, model: str, engine: Engine) -> Names:
        """The names of an engine and of its adapters."""
        tasks = engine.tasks
        listed = {model: engine, **{under(model, task): own for task, own in tasks.items()}}
        return cls(model, listed, {task: under(model, task) for task in tasks if task != model})

    def listed(self, name: str) -> str:
        """A name as ``/v1/models`` lists it.

        Raises:
            Refusal: Nothing answers to it.
        """
        found = self.short.get(name, name)
        if found not in self.engines:
            available = ", ".join(self.engines)
            raise Refusal(404, f"there is no model {name!r}; available: {available}", "model_not_found", "model")
        return found

    def cards(self) -> list[dict[str, object]]:
        """What ``/v1/models`` lists."""
        return [self.card(name) for name in self.engines]

    def card(self, name: str) -> dict[str, object]:
        """One of these; an adapter names the model that it belongs to."""
        parent = {} if name == self.model else {"parent": self.model}
        return {"id": name, "object": "model", "created": 0, "owned_by": "sevenfold", **parent}
