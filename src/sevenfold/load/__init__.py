"""Stage 2: a model's name to a model on disk with a safe tokenizer and a card."""

from sevenfold.api import make_callable

make_callable(__name__)
