"""Claiming partitions: every one of the log in our zone that nobody else of the zone holds.

A claim only saves work (design, section 8): a partition that two indexers of a zone both believe
to own gives identical objects. So when the locks cannot be reached or have forgotten us, what is
held goes on, until somebody else is seen to hold it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from common.errors import Unavailable
from common.locks import Claim, Locks
from common.logs import say
from common.members import Member, claim_name, encode_member

logger = logging.getLogger(__name__)


class Claims:
    """The claims of this indexer. Its calls to the locks run in threads."""

    def __init__(self, locks: Locks, member: Member, partitions: int) -> None:
        self._locks = locks
        self._member = member
        self._partitions = partitions
        self._held: dict[int, Claim] = {}

    def held(self) -> list[int]:
        """Partitions claimed, in order."""
        return sorted(self._held)

    async def refresh(
        self,
        gained: Callable[[int], Awaitable[None]],
        lost: Callable[[int], Awaitable[None]],
    ) -> None:
        """Look once: give up what is no longer ours, claim what is free."""
        for partition, claim in list(self._held.items()):
            if await asyncio.to_thread(claim.held):
                continue
            try:
                renewed = await self._acquire(partition)
            except Unavailable as error:
                say(logger, logging.WARNING, "locks are unavailable", why=str(error))
                return
            await self._release(partition, claim)
            if renewed is not None:
                self._held[partition] = renewed
                say(logger, logging.WARNING, "claim renewed", partition=partition)
                continue
            say(logger, logging.WARNING, "claim lost", partition=partition)
            del self._held[partition]
            await lost(partition)
        for partition in range(self._partitions):
            if partition in self._held:
                continue
            try:
                claim_or_none = await self._acquire(partition)
            except Unavailable as error:
                say(logger, logging.WARNING, "locks are unavailable", why=str(error))
                return
            if claim_or_none is not None:
                self._held[partition] = claim_or_none
                say(logger, logging.INFO, "claimed", partition=partition)
                await gained(partition)

    async def release_all(self) -> None:
        """Give up every claim, so that another indexer of the zone can go on at once."""
        for partition, claim in list(self._held.items()):
            await self._release(partition, claim)
            del self._held[partition]

    async def _acquire(self, partition: int) -> Claim | None:
        name = claim_name(self._member.zone, partition)
        return await asyncio.to_thread(self._locks.acquire, name, encode_member(self._member))

    async def _release(self, partition: int, claim: Claim) -> None:
        try:
            await asyncio.to_thread(claim.release)
        except Unavailable as error:
            say(logger, logging.WARNING, "claim not released", partition=partition, why=str(error))
