"""Whether the answer is JSON, and of a schema."""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field

from sevenfold.errors import MachineError
from sevenfold.tune.rewards import Answered, Reward


class JsonValid(Reward):
    """1 when the answer is one JSON value that the schema allows and nothing else, else 0.

    ``parses`` is what an answer gets that is JSON and breaks the schema; ``keys`` adds the share of the reference's
    keys that have the reference's values, where both are objects.
    """

    main = "document"
    document: dict[str, Any] | None = Field(
        None, description="A JSON Schema (draft 2020-12); null: any JSON. References to other files are not followed."
    )
    parses: float = Field(0.0, description="The value of JSON that the schema does not allow.")
    keys: float = Field(0.0, ge=0, description="Added times the share of the reference's keys with its values.")

    def value(self, answered: Answered) -> float:
        """The reward."""
        try:
            found = json.loads(answered.answer)
        except (ValueError, RecursionError):
            return 0.0
        valid = self.document is None or allowed(found, self.document)
        return (1.0 if valid else self.parses) + self.keys * right(found, answered.reference)


def allowed(found: Any, schema: dict[str, Any]) -> bool:
    """Whether a schema allows a value.

    Raises:
        MachineError: The library is not installed.
    """
    try:
        from jsonschema import Draft202012Validator
    except ImportError as error:
        raise MachineError(
            "the reward json_valid reads schemas with the package jsonschema, which is not installed",
            next_step="pip install 'sevenfold[rewards]', or leave the schema out",
        ) from error
    return bool(Draft202012Validator(schema).is_valid(found))


def right(found: Any, reference: str) -> float:
    """The share of the reference's keys that an object has with the same values; 0 where either is none."""
    try:
        wanted = json.loads(reference)
    except ValueError:
        return 0.0
    if not isinstance(wanted, dict) or not isinstance(found, dict) or not wanted:
        return 0.0
    return sum(key in found and found[key] == value for key, value in wanted.items()) / len(wanted)
