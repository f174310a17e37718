"""Alpaca: ``instruction``, ``input``, ``output``, and perhaps ``system``."""

from __future__ import annotations

from sevenfold.chat.conversation import Conversation
from sevenfold.prepare.formats import Format, Values, as_text, column, no_column
from sevenfold.prepare.formats._exchange import exchange

INPUTS = ("input", "context")
OUTPUTS = ("output", "response")


class Alpaca(Format):
    """An instruction, the input it is about (or ``context``) below it, and the output (or ``response``)."""

    order = 30

    def columns(self, values: Values) -> tuple[str, ...]:
        """The columns that are there, when the instruction and the output are."""
        output = column(values, *OUTPUTS)
        if "instruction" not in values or output is None:
            return ()
        others = (column(values, *INPUTS), column(values, "system"))
        return ("instruction", *filter(None, others), output)

    def read(self, values: Values) -> Conversation:
        """The user gives instruction and input, the assistant the output."""
        output, below = column(values, *OUTPUTS), column(values, *INPUTS)
        if "instruction" not in values or output is None:
            raise no_column(values, "output" if "instruction" in values else "instruction")
        parts = [as_text(values[name], name) for name in ("instruction", below) if name]
        prompt = "\n\n".join(part for part in parts if part.strip())
        return exchange(prompt, as_text(values[output], output), as_text(values.get("system"), "system"))
