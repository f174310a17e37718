"""Stage 4: dataset, model and environment to a tuned model, by one loop with two axes: method and objective."""

from sevenfold.api import make_callable

make_callable(__name__)
