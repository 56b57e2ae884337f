"""Leaders and in-sync replicas of the log's partitions, queried from the running brokers.

A broker that has returned leads no partition at first, so a test that breaks one broker after
another waits in between.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

_ASK_S = 0.5
_TIMEOUT_MS = 5_000


@dataclass(frozen=True, slots=True)
class PartitionState:
    """One partition.

    leader: broker number, -1 without a leader.
    in_sync: numbers of the brokers whose replica is in sync.
    """

    partition: int
    leader: int
    in_sync: frozenset[int]


async def describe(servers: str, topic: str) -> list[PartitionState]:
    """The partitions of a topic. Raises KafkaError."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers, request_timeout_ms=_TIMEOUT_MS)
    await admin.start()
    try:
        (found,) = await admin.describe_topics([topic])
    finally:
        await admin.close()
    return [
        PartitionState(p["partition"], p["leader"], frozenset(p["isr"]))
        for p in found["partitions"]
    ]


def is_whole(states: list[PartitionState], brokers: int, replication: int) -> bool:
    """Whether every copy is in sync and leaders are spread evenly."""
    leads = Counter(state.leader for state in states)
    even = max(leads.values(), default=0) - min(leads.values(), default=0) <= 1
    spread = len(leads) == min(brokers, len(states)) and -1 not in leads
    return spread and even and all(len(state.in_sync) == replication for state in states)


async def wait_whole(
    servers: str, topic: str, brokers: int, replication: int, seconds: float
) -> None:
    """Wait until `is_whole`. Raises TimeoutError with what is missing."""
    deadline_s = time.monotonic() + seconds
    states: list[PartitionState] = []
    problem = ""
    while True:
        try:
            states = await describe(servers, topic)
        except KafkaError as error:
            problem = f"{type(error).__name__}: {error}"
        else:
            if is_whole(states, brokers, replication):
                return
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{topic} is not whole after {seconds} s: {states} {problem}")
        await asyncio.sleep(_ASK_S)
