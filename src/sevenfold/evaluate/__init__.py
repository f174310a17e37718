"""Stage 5: tuned and base model on held-out rows to a report: better or not, how sure, what was forgotten."""

from sevenfold.api import make_callable

make_callable(__name__)
