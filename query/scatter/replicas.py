"""The indexers that hold each partition, by the claims in the locks, read at most once a second."""

import asyncio
import logging
import zlib
from dataclasses import dataclass

from common import limits
from common.clock import Clock
from common.errors import Unavailable
from common.locks import Locks
from common.logs import log_event
from common.process.members import Member, list_members, list_partition_holders
from common.tasks import cancel_and_wait, run_every

_FRESH_NS = 10**9
_logger = logging.getLogger(__name__)


ROLES = ("shepherd", "indexer", "query")


@dataclass(frozen=True, slots=True)
class KnownRoles:
    """The members of all roles.

    age_s: age of the list; None if it was never read.
    error: why the list is not current; empty if it is.
    """

    members: list[Member]
    age_s: float | None
    error: str = ""


class Replicas:
    """The claims, at most a second old; older while the locks cannot be read (I8)."""

    def __init__(
        self, locks: Locks, clock: Clock, zone: str, *, roles_wait_s: float = limits.ROLES_WAIT_S
    ) -> None:
        self._locks = locks
        self._clock = clock
        self._zone = zone
        self._roles_wait_s = roles_wait_s
        self._by_partition: dict[int, list[Member]] = {}
        self._read_ns: int | None = None
        self._began_ns = 0  # one caller a second waits for a slow read
        self._reading: asyncio.Task[None] | None = None
        self._members: list[Member] = []
        self._members_ns: int | None = None

    async def by_partition(self) -> dict[int, list[Member]]:
        """Indexers that hold each partition: ready ones first, then those of this zone first.

        Returns the last claims if the locks do not answer soon. Raises Unavailable if they were
        never read.
        """
        now_ns = self._clock.monotonic_ns()
        if self._read_ns is None:
            await asyncio.shield(self._begin_reading(now_ns))
        elif now_ns - max(self._read_ns, self._began_ns) >= _FRESH_NS:
            await asyncio.wait({self._begin_reading(now_ns)}, timeout=limits.CLAIMS_WAIT_S)
        return self._by_partition

    def _begin_reading(self, now_ns: int) -> asyncio.Task[None]:
        """The read that is in flight, or a new one."""
        self._began_ns = now_ns
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        return self._reading

    async def _read(self) -> None:
        try:
            found = await asyncio.to_thread(list_partition_holders, self._locks)
        except Unavailable as error:
            if self._read_ns is None:
                raise
            log_event(_logger, logging.WARNING, "locks cannot be read", error=str(error))
            return
        self._by_partition = {
            partition: sorted(members, key=lambda m: self._rank(m, partition))
            for partition, members in found.items()
        }
        self._read_ns = self._clock.monotonic_ns()

    async def close(self) -> None:
        """Cancel a read that is in flight."""
        if self._reading is not None:
            await cancel_and_wait([self._reading])

    def _rank(self, member: Member, partition: int) -> tuple[bool, bool, int]:
        """The order of preference: ready, in this zone, then other zones in turn by partition."""
        turn = zlib.crc32(f"{member.zone}/{partition}".encode())
        return not member.ready, member.zone != self._zone, turn

    async def indexers(self) -> list[Member]:
        """Every indexer that holds a claim, each once."""
        members = {m.url: m for held in (await self.by_partition()).values() for m in held}
        return [members[url] for url in sorted(members)]

    async def query_roles(self) -> list[Member]:
        """The query roles, read now. Raises Unavailable."""
        return await asyncio.to_thread(list_members, self._locks, "query")

    async def known_roles(self) -> KnownRoles:
        """All members, read now; the last known ones if the locks do not answer soon."""
        try:
            async with asyncio.timeout(self._roles_wait_s):
                self._members = await asyncio.to_thread(self._list_members)
        except (Unavailable, TimeoutError) as error:
            why = str(error) or f"no answer within {self._roles_wait_s:g} s"
            if self._members_ns is None:
                return KnownRoles([], None, why)
            age_s = (self._clock.monotonic_ns() - self._members_ns) / 1e9
            return KnownRoles(self._members, age_s, why)
        self._members_ns = self._clock.monotonic_ns()
        return KnownRoles(self._members, 0.0)

    def _list_members(self) -> list[Member]:
        return [member for role in ROLES for member in list_members(self._locks, role)]

    async def keep_known(self) -> None:
        """Read members and claims regularly, so that they are known if the locks fail later.

        Runs until cancelled.
        """
        await self.known_roles()
        await run_every(limits.ROLES_LOOK_S, self._refresh)

    async def _refresh(self) -> None:
        try:
            await self.by_partition()
        except Unavailable as error:
            log_event(_logger, logging.WARNING, "locks cannot be read", error=str(error))
        await self.known_roles()

    def forget(self) -> None:
        """Read the locks again at the next call, after an indexer did not answer."""
        self._read_ns = None if not self._by_partition else self._read_ns
        if self._read_ns is not None:
            self._read_ns -= _FRESH_NS
            self._began_ns -= _FRESH_NS
