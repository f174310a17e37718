"""Stage 7: the service's traffic to observations and alerts."""

from sevenfold.api import make_callable

make_callable(__name__)
