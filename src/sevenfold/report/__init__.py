"""The run's report: one page that says whether it got better, what it cost and what to do next."""

from sevenfold.report.page import write

__all__ = ["write"]
