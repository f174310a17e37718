"""The plan as a whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sevenfold.errors import MachineError
from sevenfold.setup import plan
from sevenfold.setup.plan import operations
from tests.setup.plan.works import SMALL, work


def test_time_is_operations_over_the_rate():
    made = plan.make(work(), 10**12, rate=1e12)
    assert made.seconds == pytest.approx(plan.flops(work()) / (1e12 * operations.TRAINING_SHARE))
    assert made.fits
    assert made.advice == []
    made.require()


def test_what_cannot_fit_is_refused_and_what_would_fit_is_said():
    made = plan.make(work(tokens=2048, longest_row=512), available_bytes=40 * 10**9, rate=1e12)
    with pytest.raises(MachineError) as caught:
        made.require()
    message = str(caught.value)
    assert "training needs about" in message
    assert "of which optimizer 56.0 GB" in message
    assert "at most 40.0 GB" in message
    assert "tune.method: lora with setup.precision: bfloat16 (needs" in message


def test_nothing_fits():
    made = plan.make(work(), available_bytes=10**8, rate=1e12)
    assert made.advice == []
    with pytest.raises(MachineError, match="a smaller model"):
        made.require()


def test_what_is_left_to_the_plan_is_settled():
    open_work = work(SMALL, frozen=10**6, trainable=10**5, tokens=65536, recomputable=2, recomputed=None)
    assert plan.make(open_work, 10**12, rate=1e12).recomputed == 0
    needed = plan.make(replace(open_work, recomputed=2), 10**12, rate=1e12).total_bytes
    made = plan.make(open_work, needed, rate=1e12)
    assert (made.recomputed, made.fits, made.total_bytes) == (2, True, needed)
