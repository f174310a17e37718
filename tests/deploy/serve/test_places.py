from __future__ import annotations

import asyncio

import pytest

from sevenfold.deploy.serve.places import Places
from sevenfold.deploy.serve.refusal import Refusal


def test_those_who_wait_enter_in_order_and_one_more_is_refused():
    async def scene() -> list[str]:
        places, seen = Places(at_once=1, queue=2), []
        await places.enter(1)

        async def come(name: str) -> None:
            await places.enter(1)
            seen.append(name)

        waiting = [asyncio.create_task(come(name)) for name in "ab"]
        await asyncio.sleep(0)
        with pytest.raises(Refusal) as refused:
            await places.enter(1)
        assert (refused.value.status, places.inside) == (429, 3)
        for _ in range(3):
            places.leave(0.1)
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        assert places.inside == 0
        return seen

    assert asyncio.run(scene()) == ["a", "b"]


def test_who_waits_too_long_leaves_the_queue():
    async def scene() -> None:
        places = Places(at_once=1, queue=1)
        await places.enter(1)
        with pytest.raises(Refusal, match=r"no place came free in 0.01 seconds") as refused:
            await places.enter(0.01)
        assert (refused.value.status, places.inside) == (503, 1)

    asyncio.run(scene())


def test_the_time_to_retry_follows_how_long_answers_take():
    async def scene() -> None:
        places = Places(at_once=2, queue=0)
        for _ in range(100):
            await places.enter(1)
            places.leave(10.0)
        assert places.wait() == 5

    asyncio.run(scene())
