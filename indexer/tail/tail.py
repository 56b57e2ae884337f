"""Following events as they are indexed: bounded, and never a brake on indexing (I11).

A rerouted batch may be indexed in two partitions, and which of the copies counts is known later.
So whoever joins tails may ask for the batch of every event, and show each batch once.
"""

import asyncio
import re
from collections import deque
from dataclasses import dataclass

from common import limits

_LINE = re.compile(rb'\{"t":(-?\d+),"r":(\d+),"d":(.*)\}', re.DOTALL)


@dataclass(frozen=True, slots=True)
class TailRecord:
    """A record that was just indexed: its batch id, its lines, and its offset in its partition."""

    batch: bytes
    lines: bytes
    offset: int = 0


@dataclass(frozen=True, slots=True)
class TailSubscription:
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

    def __init__(self, subscription: TailSubscription) -> None:
        self.subscription = subscription
        self._waiting: deque[tuple[bytes, bytes]] = deque()
        self._bytes = 0
        self._some = asyncio.Event()
        self.dropped = 0

    def put(self, heading: bytes, events: list[tuple[int, bytes]]) -> None:
        """Offer events (time, line) of one record; never waits."""
        after_ns = self.subscription.after_ns
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

    @property
    def pause_s(self) -> float:
        """How long to wait between two takes."""
        return limits.TAIL_PAUSE_S

    async def some(self) -> None:
        """Wait until there are lines to take."""
        await self._some.wait()

    async def take(self) -> bytes:
        """The lines that wait, at least one."""
        await self._some.wait()
        self._some.clear()
        lines: list[bytes] = []
        last = b""
        for heading, line in self._waiting:
            if self.subscription.batches and heading != last:
                lines.append(heading)
                last = heading
            lines.append(line)
        self._waiting.clear()
        self._bytes = 0
        return b"".join(lines)


def batch_heading(partition: int, batch: bytes) -> bytes:
    """The line before the events of a record."""
    return b"#%d %b\n" % (partition, batch.hex().encode())


def follows_partition(subscription: TailSubscription, partition: int) -> bool:
    """Whether the partition is one of those of the subscription."""
    return subscription.partitions is None or partition in subscription.partitions


def tail_line(line: bytes) -> tuple[int, bytes] | None:
    """(time, line to send) of one line of a record's value; `data` keeps its bytes."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    time_ns, rate, data = match.groups()
    return int(time_ns), b'{"time":%b,"samplerate":%b,"data":%b}\n' % (time_ns, rate, data)
