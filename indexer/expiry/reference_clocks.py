"""Reads reference clocks: brokers, object store, database, roles on other machines (I13).

A clock that cannot be read counts neither for nor against this machine's clock. The embedded log, a
directory and a SQLite file have this machine's clock and are never read.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from common import limits
from common.clock import Clock
from common.errors import BellwetherError
from common.log import Log
from common.logs import log_event
from common.model.clock_reading import (
    ClockReading,
    HasClock,
    KnowsLeaderHosts,
    is_elsewhere,
    reading_of,
)
from common.model.record import heartbeat_record
from common.process.members import Member, list_members
from common.process.role import Backends
from common.tasks import run_every
from indexer.expiry.clocks import Clocks

_ROLES = ("indexer", "shepherd", "query")
_DATE_NS = 10**9  # the resolution of the header Date
logger = logging.getLogger(__name__)


class ReferenceClocks:
    """The clocks that this process can read."""

    def __init__(
        self,
        backends: Backends,
        clock: Clock,
        rng: random.Random,
        is_elsewhere: Callable[[str], bool] = is_elsewhere,
    ) -> None:
        """is_elsewhere: whether a host is another machine. Blocks: it may resolve the name."""
        self._is_elsewhere = is_elsewhere
        self._backends = backends
        self._clock = clock
        self._random = rng

    async def run(self, clocks: Clocks) -> None:
        """Read the clocks every `CLOCK_ASK_S`, until cancelled."""

        async def read() -> None:
            clocks.add_readings(await self.read())

        await run_every(limits.CLOCK_ASK_S, read, at_once=True)

    async def read(self) -> list[ClockReading]:
        """Read every clock that can be reached."""
        asked: list[Coroutine[Any, Any, list[ClockReading]]] = [self._read_members()]
        asked += [
            self._read_backend(backend)
            for backend in (self._backends.objects, self._backends.metadata)
            if isinstance(backend, HasClock)
        ]
        if isinstance(self._backends.log, KnowsLeaderHosts):
            asked.append(self._read_log(self._backends.log))
        found = await asyncio.gather(*(self._bounded(one) for one in asked))
        return [reading for some in found for reading in some]

    async def _bounded(self, asking: Coroutine[Any, Any, list[ClockReading]]) -> list[ClockReading]:
        try:
            async with asyncio.timeout(limits.CLOCK_TIMEOUT_S):
                return await asking
        except (BellwetherError, TimeoutError, OSError, ValueError, aiohttp.ClientError) as error:
            kind = type(error).__name__
            log_event(logger, logging.DEBUG, "a clock cannot be read now", kind=kind)
            return []

    async def _read_backend(self, backend: HasClock) -> list[ClockReading]:
        reading = await asyncio.to_thread(backend.read_clock, self._clock)
        return [] if reading is None else [reading]

    async def _read_log(self, log: KnowsLeaderHosts) -> list[ClockReading]:
        return await broker_readings(self._backends.log, log, self._clock)

    async def _read_members(self) -> list[ClockReading]:
        """Read the clocks of roles on other machines, by the header Date of their responses."""
        members: list[Member] = []
        for role in _ROLES:
            members += await asyncio.to_thread(list_members, self._backends.locks, role)
        by_host = {urlsplit(member.url).hostname or "": member for member in members}
        hosts = [h for h in by_host if await asyncio.to_thread(self._is_elsewhere, h)]
        chosen = self._random.sample(sorted(hosts), min(limits.CLOCK_MEMBERS_MAX, len(hosts)))
        if not chosen:
            return []
        timeout = aiohttp.ClientTimeout(total=limits.CLOCK_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            asked = (self._read_member(http, host, by_host[host]) for host in chosen)
            found = await asyncio.gather(*asked, return_exceptions=True)
        return [one for one in found if isinstance(one, ClockReading)]

    async def _read_member(
        self, http: aiohttp.ClientSession, host: str, member: Member
    ) -> ClockReading:
        begin_ns = self._clock.monotonic_ns()
        async with http.get(f"{member.url}/healthz") as answer:
            date = parsedate_to_datetime(answer.headers.get("Date", ""))
        span = (begin_ns, self._clock.monotonic_ns())
        theirs_ns = int(date.timestamp()) * 10**9
        return reading_of(f"machine {host}", theirs_ns, _DATE_NS, span, elsewhere=True)


async def broker_readings(log: Log, hosts: KnowsLeaderHosts, clock: Clock) -> list[ClockReading]:
    """Each broker's clock, by the append time of a heartbeat to a partition that it leads."""
    identity = await log.open()
    leaders: dict[str, int] = {}
    for partition in range(identity.partitions):
        leaders.setdefault(log.leader(partition), partition)
    found = []
    for leader, partition in sorted(leaders.items()):
        host = hosts.leader_host(partition)
        elsewhere = await asyncio.to_thread(is_elsewhere, host)
        begin_ns = clock.monotonic_ns()
        appended = await log.append(partition, heartbeat_record())
        span = (begin_ns, clock.monotonic_ns())
        name = f"broker {leader}"
        found.append(reading_of(name, appended.append_ns, 10**6, span, elsewhere=elsewhere))
    return found
