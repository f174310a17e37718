"""Stage 1: rows from anywhere to a checked dataset with splits and a data report."""

from sevenfold.api import make_callable

make_callable(__name__)
