"""A tail: a bounded stream of events as they are indexed, which never slows indexing down (I11).

A rerouted batch may be indexed in two partitions, and which copy counts is decided later. So a
reader that joins several tails may request the batch id of every event, and show each batch once.
"""

import asyncio
import re
from collections import deque
from dataclasses import dataclass

from common import limits

_LINE = re.compile(rb'\{"t":(-?\d+),"r":(\d+),"d":(.*)\}', re.DOTALL)


@dataclass(frozen=True, slots=True)
class TailLimits:
    """The limits of tails; tests pass smaller ones.

    tails_max: concurrent tails.
    events_max: events queued for one reader, and returned by one take of a filtered tail.
    bytes_max: bytes of these events.
    filtered_bytes_max: bytes of rows queued for one reader of a filtered tail.
    pause_s, filtered_pause_s: seconds between two takes of one reader.
    hang_up_check_s: seconds between checks of a quiet tail for a disconnected reader.
    """

    tails_max: int = limits.TAILS_MAX
    events_max: int = limits.TAIL_EVENTS_MAX
    bytes_max: int = limits.TAIL_BYTES_MAX
    filtered_bytes_max: int = limits.TAIL_FILTERED_BYTES_MAX
    pause_s: float = limits.TAIL_PAUSE_S
    filtered_pause_s: float = limits.TAIL_FILTERED_PAUSE_S
    hang_up_check_s: float = limits.TAIL_LOOK_S


TAIL_LIMITS = TailLimits()


@dataclass(frozen=True, slots=True)
class TailRecord:
    """A record that was just indexed: its batch id, its lines, and its offset in its partition."""

    batch: bytes
    lines: bytes
    offset: int = 0


@dataclass(frozen=True, slots=True)
class TailSubscription:
    """The events that a reader follows.

    after_ns: only events with a later time (unix ns).
    partitions: numbers of the partitions to follow; None: all.
    batches: whether a line `#<partition> <batch id in hex>` precedes the events of each record.
    env, key: ids of the reader's environment and key. Query roles of older versions leave them
    empty; then the dataset id is used, as a dataset has one environment.
    """

    dataset: str
    after_ns: int | None = None
    partitions: frozenset[int] | None = None
    batches: bool = False
    env: str = ""
    key: str = ""

    def includes(self, partition: int) -> bool:
        """Whether the partition is followed."""
        return self.partitions is None or partition in self.partitions


class Tail:
    """One reader of one dataset's events. Lines beyond the limits are dropped, oldest first."""

    def __init__(self, subscription: TailSubscription, bounds: TailLimits = TAIL_LIMITS) -> None:
        self.subscription = subscription
        self._bounds = bounds
        self._waiting: deque[tuple[bytes, bytes]] = deque()
        self._bytes = 0
        self._available = asyncio.Event()
        self.dropped = 0
        self._untold = 0  # of these, what the reader does not know of

    def put(self, heading: bytes, events: list[tuple[int, bytes]]) -> None:
        """Offer events (time, line) of one record; never waits."""
        after_ns = self.subscription.after_ns
        fresh = [line for time_ns, line in events if after_ns is None or time_ns > after_ns]
        self._waiting.extend((heading, line) for line in fresh)
        self._bytes += sum(map(len, fresh))
        while len(self._waiting) > self._bounds.events_max or (
            self._bytes > self._bounds.bytes_max and len(self._waiting) > 1
        ):
            _, line = self._waiting.popleft()
            self._bytes -= len(line)
            self.dropped += 1
            self._untold += 1
        if fresh:
            self._available.set()

    @property
    def pause_s(self) -> float:
        """Seconds to wait between two takes."""
        return self._bounds.pause_s

    async def wait(self) -> None:
        """Wait until there are lines to take."""
        await self._available.wait()

    async def take(self) -> bytes:
        """Take the queued lines, at least one."""
        await self._available.wait()
        self._available.clear()
        lines: list[bytes] = []
        if self._untold and self.subscription.batches:
            lines.append(skipped_heading(self._untold))
        self._untold = 0
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


def skipped_heading(events: int) -> bytes:
    """The line that says how many events were left out before it; 0: some, which nobody counted."""
    return b"#skipped %d\n" % events


def tail_line(line: bytes) -> tuple[int, bytes] | None:
    """(time, line to send) of one line of a record's value; `data` keeps its bytes."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    time_ns, rate, data = match.groups()
    return int(time_ns), b'{"time":%b,"samplerate":%b,"data":%b}\n' % (time_ns, rate, data)
