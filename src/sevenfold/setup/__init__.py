"""Stage 3: the machine to an environment: device, precision, seed, and a plan of memory and time."""

from sevenfold.api import make_callable

make_callable(__name__)
