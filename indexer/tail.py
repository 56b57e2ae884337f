"""Following events as they are indexed: bounded, and never a brake on indexing (I11)."""

import asyncio
import re
from collections import deque

from common import limits

_LINE = re.compile(rb'\{"t":(-?\d+),"r":(\d+),"d":(.*)\}', re.DOTALL)


class TooManyTails(Exception):
    """No more readers now."""


class Tail:
    """One reader of one dataset's events; with `after_ns` only of those with a later time."""

    def __init__(self, dataset: str, after_ns: int | None) -> None:
        self.dataset = dataset
        self._after_ns = after_ns
        self._waiting: deque[bytes] = deque(maxlen=limits.TAIL_EVENTS_MAX)
        self._some = asyncio.Event()
        self.dropped = 0

    def put(self, events: list[tuple[int, bytes]]) -> None:
        """Offer events (time, line); never waits."""
        after_ns = self._after_ns
        fresh = [line for time_ns, line in events if after_ns is None or time_ns > after_ns]
        self.dropped += max(0, len(self._waiting) + len(fresh) - limits.TAIL_EVENTS_MAX)
        self._waiting.extend(fresh)
        if fresh:
            self._some.set()

    async def take(self) -> bytes:
        """The lines that wait, at least one."""
        await self._some.wait()
        self._some.clear()
        lines = b"".join(self._waiting)
        self._waiting.clear()
        return lines


class Tails:
    """All readers of this indexer."""

    def __init__(self) -> None:
        self._tails: set[Tail] = set()

    def open(self, dataset: str, after_ns: int | None) -> Tail:
        """A new reader. Raises TooManyTails."""
        if len(self._tails) >= limits.TAILS_MAX:
            raise TooManyTails
        tail = Tail(dataset, after_ns)
        self._tails.add(tail)
        return tail

    def close(self, tail: Tail) -> None:
        """The reader has gone."""
        self._tails.discard(tail)

    def wanted(self) -> frozenset[str]:
        """Datasets that somebody follows."""
        return frozenset(tail.dataset for tail in self._tails)

    def publish(self, dataset: str, values: tuple[bytes, ...]) -> None:
        """Offer the lines of newly indexed records to whoever follows their dataset."""
        readers = [tail for tail in self._tails if tail.dataset == dataset]
        if not readers:
            return
        newest = [line for value in values for line in value.splitlines()][
            -limits.TAIL_EVENTS_MAX :
        ]
        events = [event for line in newest if (event := tail_line(line)) is not None]
        for tail in readers:
            tail.put(events)


def tail_line(line: bytes) -> tuple[int, bytes] | None:
    """(time, line to send) of one line of a record's value; `data` keeps its bytes."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    time_ns, rate, data = match.groups()
    return int(time_ns), b'{"time":%b,"samplerate":%b,"data":%b}\n' % (time_ns, rate, data)
