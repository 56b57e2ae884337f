"""Which of a partition's indexers compacts it: one at once, the others after a delay (I6).

No correctness rests on it: of two that compact at the same moment one document counts.
"""

import asyncio
import hashlib

from common.errors import Unavailable
from common.locks import Locks
from common.process.members import list_claims


class Turns:
    """The order of a partition's indexers, by their claims. Used from one event loop."""

    def __init__(self, locks: Locks, instance: str) -> None:
        self._locks = locks
        self._instance = instance

    async def rank(self, partition: int) -> int:
        """0: it compacts at once; 1: after one delay. 1 while the claims are not known."""
        try:
            claims = await asyncio.to_thread(list_claims, self._locks)
        except Unavailable:
            return 1
        holders = {one.member.instance for one in claims if one.partition == partition}
        return rank_of(self._instance, holders, partition)


def rank_of(instance: str, holders: set[str], partition: int) -> int:
    """The rank of an indexer among a partition's holders; each is first for some partitions."""

    def place(name: str) -> bytes:
        return hashlib.sha256(f"{partition} {name}".encode()).digest()

    return sorted({*holders, instance}, key=place).index(instance)
