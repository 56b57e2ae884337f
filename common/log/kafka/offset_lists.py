"""Starts and ends of many partitions, asked for in one request to each broker.

An indexer looks at all its partitions in the same moment, so what is asked in one turn of the loop
goes together.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from common.log.kafka.broker import Broker
from common.log.kafka.wire.aiokafka_parts import OffsetRequest

Poll = Callable[[Broker, int, Any, float], Awaitable[Any | None]]
_Asked = tuple[list[int], "asyncio.Task[dict[int, tuple[int, int]] | None]"]


class OffsetLists:
    """Used from one event loop.

    poll: sends a request to a broker that leads a partition; None when the log closes.
    """

    def __init__(self, topic: str, poll: Poll) -> None:
        self._topic = topic
        self._poll = poll
        self._gathering: dict[tuple[Broker, int], _Asked] = {}
        self._under_way: set[asyncio.Task[Any]] = set()

    async def ask(self, broker: Broker, partition: int, which: int) -> tuple[int, int] | None:
        """An error code and the offset of one partition; None when the log closes.

        which: as in the request, the earliest or the latest. Raises as `poll` does.
        """
        key = (broker, which)
        if (asked := self._gathering.get(key)) is None:
            partitions: list[int] = []
            task = asyncio.create_task(self._send(broker, which, partitions))
            asked = self._gathering[key] = (partitions, task)
            self._under_way.add(task)
            task.add_done_callback(self._done)
        asked[0].append(partition)
        found = await asyncio.shield(asked[1])  # others wait for it too
        return None if found is None else found[partition]

    async def _send(
        self, broker: Broker, which: int, partitions: list[int]
    ) -> dict[int, tuple[int, int]] | None:
        await asyncio.sleep(0)  # the rest of this turn of the loop may ask, too
        del self._gathering[broker, which]
        wanted = [(partition, which) for partition in sorted(set(partitions))]
        request = OffsetRequest(-1, 0, [(self._topic, wanted)])
        response = await self._poll(broker, partitions[0], request, 0.0)
        if response is None:
            return None
        [(_, found)] = response.topics
        return {partition: (code, offset) for partition, code, _, offset, *_ in found}

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # each of those that asked gets it; there may be none left
