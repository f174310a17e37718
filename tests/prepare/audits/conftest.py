"""What the tests of audits share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def audit(run: Callable[..., Any], write_rows: Callable[..., str]) -> Callable[..., dict[str, Any]]:
    """Prepare rows without cleaning and look at them: gives one audit's findings."""

    def go(rows: list[dict[str, Any]], chosen: Any, **values: Any) -> dict[str, Any]:
        done = run(source=write_rows(rows), clean=[], audits=[chosen], **values)
        return done.report["audits"][0]

    return go
