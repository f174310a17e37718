"""Stage 6: a tuned model to exports and a running service."""

from sevenfold.api import make_callable

make_callable(__name__)
