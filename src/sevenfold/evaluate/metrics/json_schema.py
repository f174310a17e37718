"""Whether the answer is JSON of a certain form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, model_validator

from sevenfold.errors import DataError, MachineError
from sevenfold.evaluate.metrics import Better, RowMetric
from sevenfold.evaluate.metrics._columns import cell
from sevenfold.evaluate.metrics._fenced import unfenced

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

    from sevenfold.evaluate.held_out import Question


class JsonSchema(RowMetric):
    """Share of answers that are one JSON value which a schema allows; 0 to 1, higher is better.

    The schema (JSON Schema, draft 2020-12, checked by the package jsonschema) is of a file or of a column of the rows;
    with neither any JSON will do. A fence of Markdown around the JSON is taken off, other words around it are not:
    what reads the answer could not either. References of a schema to other files are not followed.
    """

    main = "path"
    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "share of rows"
    high: ClassVar[float] = 1.0
    binary: ClassVar[bool] = True
    path: str | None = Field(None, description="The file with the schema of all rows.")
    column: str | None = Field(None, description="The column with each row's own schema.")

    @model_validator(mode="after")
    def one_of_both(self) -> JsonSchema:
        """Refuse two schemas."""
        if self.path is not None and self.column is not None:
            raise ValueError("a schema is of a file (path) or of a column (column), not of both")
        return self

    def values(self, answers: Sequence[str], questions: Sequence[Question]) -> list[float]:
        """1.0 for what the schema allows, else 0.0.

        Raises:
            DataError: A schema cannot be read, or is none.
            MachineError: The library is not installed.
        """
        if self.path is not None:
            everyones = checker(file_text(Path(self.path)), self.path)
            return [allowed(answer, everyones) for answer in answers]
        if self.column is None:
            return [allowed(answer, None) for answer in answers]
        own = [checker(cell(question, self.column, "json_schema"), question.origin) for question in questions]
        return [allowed(*both) for both in zip(answers, own, strict=True)]


def file_text(path: Path) -> str:
    """A file's text.

    Raises:
        DataError: It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the JSON schema cannot be read: {error}", where=str(path), expected="a JSON file") from None


def checker(text: str, where: str) -> Draft202012Validator:
    """What checks values by a schema.

    Raises:
        DataError: The text is no schema.
        MachineError: The library is not installed.
    """
    try:
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import SchemaError
    except ImportError as error:
        raise MachineError(
            "the metric json_schema needs the package jsonschema, which is not installed",
            next_step="pip install 'sevenfold[evaluate]', or leave json_schema out of evaluate.metrics",
        ) from error
    try:
        schema = json.loads(text)
        Draft202012Validator.check_schema(schema)
    except (ValueError, SchemaError) as error:
        raise DataError(f"this is no JSON schema: {str(error).splitlines()[0]}", where=where) from None
    return Draft202012Validator(schema)


def allowed(answer: str, schema: Draft202012Validator | None) -> float:
    """1.0 when the answer is JSON that the schema allows, else 0.0."""
    try:
        found = json.loads(unfenced(answer), parse_constant=refuse)
    except (ValueError, RecursionError):
        return 0.0
    return 1.0 if schema is None else float(schema.is_valid(found))


def refuse(constant: str) -> Any:
    """NaN and Infinity, which Python's reader takes, are no JSON.

    Raises:
        ValueError: Always.
    """
    raise ValueError(constant)
