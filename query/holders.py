"""Which indexers hold which partitions, as the locks tell; asked at most about once a second."""

import asyncio
import logging

from common.clock import Clock
from common.errors import Unavailable
from common.locks import Locks
from common.logs import say
from common.members import Member, list_members, list_partition_holders

_FRESH_NS = 10**9
_logger = logging.getLogger(__name__)


class Holders:
    """A picture of the claims that is at most a second old; older while the locks are down (I8)."""

    def __init__(self, locks: Locks, clock: Clock, zone: str) -> None:
        self._locks = locks
        self._clock = clock
        self._zone = zone
        self._seen: dict[int, list[Member]] = {}
        self._read_ns: int | None = None
        self._reading = asyncio.Lock()

    async def by_partition(self) -> dict[int, list[Member]]:
        """Holders of each partition: those that are ready, those of our zone first.

        Raises Unavailable.
        """
        async with self._reading:
            now_ns = self._clock.monotonic_ns()
            if self._read_ns is None or now_ns - self._read_ns >= _FRESH_NS:
                try:
                    found = await asyncio.to_thread(list_partition_holders, self._locks)
                except Unavailable as error:
                    if self._read_ns is None:
                        raise
                    say(_logger, logging.WARNING, "locks cannot be read", error=str(error))
                else:
                    self._seen = {
                        partition: sorted(members, key=self._rank)
                        for partition, members in found.items()
                    }
                    self._read_ns = now_ns
            return self._seen

    def _rank(self, member: Member) -> tuple[bool, bool]:
        return not member.ready, member.zone != self._zone

    async def indexers(self) -> list[Member]:
        """Every indexer that holds a claim, each once."""
        members = {m.url: m for held in (await self.by_partition()).values() for m in held}
        return [members[url] for url in sorted(members)]

    async def roles(self, roles: tuple[str, ...]) -> list[Member]:
        """All members of these roles, read now. Raises Unavailable."""
        found = []
        for role in roles:
            found += await asyncio.to_thread(list_members, self._locks, role)
        return found

    def forget(self) -> None:
        """Read the locks again next time: a holder did not answer."""
        self._read_ns = None if not self._seen else self._read_ns
        if self._read_ns is not None:
            self._read_ns -= _FRESH_NS
