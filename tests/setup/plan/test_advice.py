"""What would fit."""

from __future__ import annotations

from dataclasses import replace

from sevenfold.setup import plan
from sevenfold.setup.plan import advice
from sevenfold.setup.plan.parts import total
from tests.setup.plan.works import SMALL, work


def test_a_smaller_pass_is_enough():
    small = work(SMALL, frozen=10**6, trainable=10**5, tokens=65536, longest_row=1000)
    room = sum(plan.memory(advice.resized(small, 16384)).values())
    assert plan.advise(small, room)[0].startswith("tune.tokens_per_pass: 16384 (needs ")
    assert advice.largest_pass(small, room) == 16384


def test_a_pass_never_gets_smaller_than_the_longest_row():
    small = work(SMALL, frozen=10**6, trainable=10**5, tokens=4096, longest_row=3000)
    assert advice.largest_pass(small, small.overhead_bytes) is None
    assert advice.largest_pass(small, sum(plan.memory(advice.resized(small, 3000)).values())) == 3000


def test_advice_fits():
    """Every piece of advice, followed, needs no more than there is."""
    heavy = work(tokens=8192, longest_row=256)
    for room in (20e9, 35e9, 60e9, 115e9, 130e9):
        for text in plan.advise(heavy, int(room)):
            assert float(text.rpartition("(needs ")[2].removesuffix(" GB)")) <= room / 1e9 + 0.05


def deep(**more):
    """A work of which recomputation takes most."""
    shape = replace(SMALL, layers=16)
    return work(shape, frozen=10**6, trainable=10**5, tokens=65536, longest_row=1000, recomputable=16, **more)


def test_as_few_blocks_as_fit_are_computed_again():
    assert plan.fewest_recomputed(deep(), total(deep())) == 0
    assert plan.fewest_recomputed(deep(), 10**6) == 16, "all, where even that is not enough"
    room = (total(deep()) + total(replace(deep(), recomputed=16))) // 2
    count = plan.fewest_recomputed(deep(), room)
    assert 0 < count < 16
    assert total(replace(deep(), recomputed=count)) <= room < total(replace(deep(), recomputed=count - 1))


def test_recomputation_is_advised_before_smaller_passes():
    room = total(replace(deep(), recomputed=16))
    found = plan.advise(deep(), room)
    assert len(found) == 1
    assert found[0].startswith("tune.engine.activations: recompute (needs ")
    found = plan.advise(deep(), int(0.8 * room))
    assert found[0].startswith("tune.engine.activations: recompute and tune.tokens_per_pass: 32768 (needs ")


def test_what_is_recomputed_already_or_cannot_be_is_not_advised():
    for settled in (deep(recomputed=16), replace(deep(), recomputable=0), deep(offloaded=True)):
        assert all("recompute" not in text for text in plan.advise(settled, total(settled) - 10**6))
