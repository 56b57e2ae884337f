"""A look at all partitions of an indexer is one request to each broker, whoever waits for it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from common.log.kafka.broker import Broker, NoResponse
from common.log.kafka.offset_lists import OffsetLists

_EARLIEST, _LATEST = -2, -1
_PARTITIONS = 64


@dataclass(slots=True)
class Response:
    topics: list[tuple[str, list[tuple[int, int, int, int]]]]


@dataclass(slots=True)
class Brokers:
    """Brokers whose partition p starts at p and ends at 100 + p; each request is kept."""

    asked: list[tuple[Broker, list[int]]] = field(default_factory=list)
    sent: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None
    closed: bool = False

    async def poll(self, broker: Broker, partition: int, request: Any, wait_s: float) -> Any:
        [(topic, wanted)] = request._topics
        self.asked.append((broker, [number for number, _ in wanted]))
        self.sent.set()
        await self.answers.wait()
        if self.error is not None:
            raise self.error
        if self.closed:
            return None
        return Response(
            [(topic, [(n, n % 3, -1, n + 100 * (which == _LATEST)) for n, which in wanted])]
        )


def broker() -> Broker:
    return cast(Broker, object())


async def test_what_is_asked_in_one_turn_is_one_request_to_each_broker() -> None:
    brokers, one, two = Brokers(), broker(), broker()
    lists = OffsetLists("topic", brokers.poll)
    brokers.answers.set()
    for _ in range(2):  # nothing is kept from one look to the next
        brokers.asked.clear()
        found = await asyncio.gather(
            *(
                lists.ask((one, two)[n % 2], n, which)
                for n in range(_PARTITIONS)
                for which in (_EARLIEST, _LATEST)
            )
        )
        assert found == [
            (n % 3, n + 100 * (which == _LATEST))
            for n in range(_PARTITIONS)
            for which in (_EARLIEST, _LATEST)
        ]
        odd = list(range(1, _PARTITIONS, 2))
        assert len(brokers.asked) == 4
        assert [asked for whom, asked in brokers.asked if whom is two] == [odd, odd]


async def test_one_that_asks_and_is_cancelled_keeps_no_other_from_its_answer() -> None:
    brokers, one = Brokers(), broker()
    lists = OffsetLists("topic", brokers.poll)
    first, second = (asyncio.create_task(lists.ask(one, n, _LATEST)) for n in (1, 2))
    await brokers.sent.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    late = asyncio.create_task(lists.ask(one, 3, _LATEST))  # the request has gone without it
    brokers.answers.set()
    assert await second == (2, 102)
    assert await late == (0, 103)
    assert [asked for _, asked in brokers.asked] == [[1, 2], [3]]


async def test_everybody_that_asked_learns_of_a_failure_and_of_the_end() -> None:
    brokers, one = Brokers(error=NoResponse("gone")), broker()
    lists = OffsetLists("topic", brokers.poll)
    brokers.answers.set()
    found = await asyncio.gather(
        *(lists.ask(one, n, _LATEST) for n in range(3)), return_exceptions=True
    )
    assert [type(error) for error in found] == [NoResponse] * 3
    brokers.error, brokers.closed = None, True
    assert await lists.ask(one, 0, _LATEST) is None


@pytest.mark.parametrize("partitions", [1, 3])
async def test_a_partition_that_is_asked_for_twice_is_in_the_request_once(partitions: int) -> None:
    brokers, one = Brokers(), broker()
    lists = OffsetLists("topic", brokers.poll)
    brokers.answers.set()
    twice = [*range(partitions), *range(partitions)]
    found = await asyncio.gather(*(lists.ask(one, n, _EARLIEST) for n in twice))
    assert found == [(n % 3, n) for n in twice]
    assert [asked for _, asked in brokers.asked] == [list(range(partitions))]
