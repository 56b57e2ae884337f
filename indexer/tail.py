"""Following events as they are indexed: bounded, and never a brake on indexing (I11).

A rerouted batch may be indexed in two partitions, and which of the copies counts is known later.
So whoever joins tails may ask for the batch of every event, and show each batch once.
"""

import asyncio
import re
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

from common import limits
from common.fair_queue import FairLimits, FairQueue, Ticket

_LINE = re.compile(rb'\{"t":(-?\d+),"r":(\d+),"d":(.*)\}', re.DOTALL)


@dataclass(frozen=True, slots=True)
class TailRecord:
    """A record that was just indexed: its batch id and its lines."""

    batch: bytes
    lines: bytes


@dataclass(frozen=True, slots=True)
class Followed:
    """What a reader follows. after_ns: only events with a later time. partitions: None is all.

    batches: before the events of a record a line `#<partition> <batch id in hex>`. env, key: ids of
    who follows; a query role of an older version tells neither, and a dataset has one environment.
    """

    dataset: str
    after_ns: int | None = None
    partitions: frozenset[int] | None = None
    batches: bool = False
    env: str = ""
    key: str = ""


class Tail:
    """One reader of one dataset's events. What it does not take in time is dropped, the oldest
    first.
    """

    def __init__(self, followed: Followed) -> None:
        self.followed = followed
        self._waiting: deque[tuple[bytes, bytes]] = deque()
        self._bytes = 0
        self._some = asyncio.Event()
        self.dropped = 0

    def put(self, heading: bytes, events: list[tuple[int, bytes]]) -> None:
        """Offer events (time, line) of one record; never waits."""
        after_ns = self.followed.after_ns
        fresh = [line for time_ns, line in events if after_ns is None or time_ns > after_ns]
        self._waiting.extend((heading, line) for line in fresh)
        self._bytes += sum(map(len, fresh))
        while len(self._waiting) > limits.TAIL_EVENTS_MAX or (
            self._bytes > limits.TAIL_BYTES_MAX and len(self._waiting) > 1
        ):
            _, line = self._waiting.popleft()
            self._bytes -= len(line)
            self.dropped += 1
        if fresh:
            self._some.set()

    async def take(self) -> bytes:
        """The lines that wait, at least one."""
        await self._some.wait()
        self._some.clear()
        lines: list[bytes] = []
        last = b""
        for heading, line in self._waiting:
            if self.followed.batches and heading != last:
                lines.append(heading)
                last = heading
            lines.append(line)
        self._waiting.clear()
        self._bytes = 0
        return b"".join(lines)


class Tails:
    """All readers of this indexer, shared between environments and keys (I14)."""

    def __init__(self) -> None:
        shares = FairLimits(
            limits.TAILS_MAX,
            waiting_max=0,
            env_per_free=limits.TAILS_ENV_PER_FREE,
            key_per_free=limits.TAILS_KEY_PER_FREE,
        )
        self._queue = FairQueue(shares)
        self._tails: dict[Tail, Ticket] = {}

    def open(self, followed: Followed) -> Tail:
        """A new reader. Raises NoRoom."""
        env = followed.env or followed.dataset
        ticket = self._queue.enter(env, followed.key).ticket
        tail = Tail(followed)
        self._tails[tail] = ticket
        return tail

    def close(self, tail: Tail) -> None:
        """The reader has gone."""
        if (ticket := self._tails.pop(tail, None)) is not None:
            self._queue.leave(ticket)

    def wanted(self, partition: int) -> frozenset[str]:
        """Datasets that somebody follows in this partition."""
        return frozenset(
            tail.followed.dataset for tail in self._tails if _includes(tail.followed, partition)
        )

    def publish(self, dataset: str, partition: int, records: Collection[TailRecord]) -> None:
        """Offer the lines of newly indexed records to whoever follows their dataset."""
        readers = [
            tail
            for tail in self._tails
            if tail.followed.dataset == dataset and _includes(tail.followed, partition)
        ]
        if not readers:
            return
        for record in records:
            newest = record.lines.splitlines()[-limits.TAIL_EVENTS_MAX :]
            events = [event for line in newest if (event := tail_line(line)) is not None]
            heading = b"#%d %b\n" % (partition, record.batch.hex().encode())
            for tail in readers:
                tail.put(heading, events)


def _includes(followed: Followed, partition: int) -> bool:
    return followed.partitions is None or partition in followed.partitions


def tail_line(line: bytes) -> tuple[int, bytes] | None:
    """(time, line to send) of one line of a record's value; `data` keeps its bytes."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    time_ns, rate, data = match.groups()
    return int(time_ns), b'{"time":%b,"samplerate":%b,"data":%b}\n' % (time_ns, rate, data)
