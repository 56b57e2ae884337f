"""Appends with recorded outcomes, and a check of the log's contents against them."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from common.errors import LogRefused, LogUnavailable
from common.log import Log
from common.model.record import decode
from tests.conformance.test_log import read_all
from tests.conformance.worker import numbered


@dataclass(slots=True)
class Traffic:
    """Numbered appends to one log."""

    log: Log
    acked: dict[str, tuple[int, int]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)

    async def append(self, partition: int, name: str) -> str:
        """Append one record; "acked", "refused" or "unknown"."""
        try:
            appended = await self.log.append(partition, numbered(name))
        except LogRefused:
            self.refused.add(name)
            return "refused"
        except LogUnavailable:
            self.unknown.add(name)
            return "unknown"
        self.acked[name] = (partition, appended.position.offset)
        return "acked"

    async def until_acked(self, partition: int, name: str) -> None:
        """Append under new names until one is acknowledged."""
        count = 0
        while await self.append(partition, f"{name}-{count}") != "acked":
            count += 1
            await asyncio.sleep(0.05)

    async def assert_none_lost_or_doubled(self, partitions: int) -> None:
        """Every acknowledged record is once at its offset, and no refused record is in the log."""
        found: dict[str, list[tuple[int, int]]] = {}
        for partition in range(partitions):
            for message in await read_all(self.log, partition):
                name = decode(message).dataset
                found.setdefault(name, []).append((partition, message.offset))
        assert {name: found.get(name) for name in self.acked} == {
            name: [position] for name, position in self.acked.items()
        }
        assert not self.refused & found.keys()
        copies = Counter({name: len(places) for name, places in found.items()})
        assert all(copies[name] <= 1 for name in self.unknown)
