"""Exchanges about many fields: as many as there is time for."""

import asyncio
from collections.abc import Sequence

import pytest

from common import limits
from common.errors import Unprocessable
from query.differences.batches import Batches

NAMES = [f"f{n}" for n in range(100)]


@pytest.mark.parametrize("failure", [TimeoutError(), Unprocessable("too heavy")])
async def test_an_exchange_that_fails_is_asked_again_about_fewer_fields(failure: Exception) -> None:
    tried = list[int]()

    async def ask(some: Sequence[str]) -> list[str]:
        tried.append(len(some))
        if len(some) > 8:
            raise failure
        return [*some]

    batches = Batches[list[str]](NAMES, 64, lambda: 60.0)
    await batches.run(ask)
    assert tried == [64, *[8] * 12, 4]
    assert [name for some in batches.answers for name in some] == NAMES


async def test_without_time_nothing_more_is_asked_and_what_was_answered_counts() -> None:
    left = iter([60.0, 60.0, 0.0])

    async def ask(some: Sequence[str]) -> int:
        return len(some)

    batches = Batches[int](NAMES, 10, lambda: next(left, 0.0))
    await batches.run(ask)
    assert (batches.asked, batches.answers) == (10, [10])


async def test_where_nothing_was_answered_the_reason_is_told() -> None:
    async def refuse(some: Sequence[str]) -> int:
        raise Unprocessable("too heavy")

    with pytest.raises(Unprocessable, match="too heavy"):
        await Batches[int](NAMES, 64, lambda: 60.0).run(refuse)

    async def hang(some: Sequence[str]) -> int:
        await asyncio.sleep(3_600)
        return 0

    with pytest.raises(TimeoutError):
        await Batches[int](NAMES, limits.DIFFERENCES_BATCH_MIN, lambda: 0.05).run(hang)
