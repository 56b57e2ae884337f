"""Group events into batches whose borders and ids depend on the file alone.

So an interrupted load repeats exactly the batches it had begun, and the store drops what it already
has (I2): `X-Bellwether-Batch-Id` is a hash of the batch's content, its offset and the load. A batch
also ends where an earlier load of the file ended, so that a file that grew repeats its batches.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from bellwether.send.prepare.prepare import Ready


class BatchLimits(NamedTuple):
    """What one request takes: one or two records of the log, and a retry repeats little."""

    bytes_max: int = 900_000
    events_max: int = 5_000


BATCH_LIMITS = BatchLimits()
REFUSED_MAX = 1_000  # refused lines kept with one batch
REFUSED_BYTES_MAX = 4_000_000  # and their text: two of the longest lines


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one request, in order, and what was refused between them.

    start, end: offsets in the unpacked file.
    line: line where the last event before the end begins.
    last_bytes: length of that event's text.
    body: JSON array, uncompressed.
    """

    number: int
    id: str
    start: int
    end: int
    line: int
    last_bytes: int
    events: tuple[Ready, ...] = field(repr=False)
    refused: tuple[Ready, ...] = field(repr=False)
    body: bytes = field(repr=False)


class _Group:
    """The next batch so far."""

    __slots__ = ("end", "events", "last_bytes", "line", "refused", "refused_bytes", "size", "start")

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self.line = self.last_bytes = 0
        self.events: list[Ready] = []
        self.refused: list[Ready] = []
        self.size = 2
        self.refused_bytes = 0

    def batch(self, number: int, seed: str) -> Batch:
        body = b"[%b]" % b",".join([event.part for event in self.events])
        digest = hashlib.sha256(f"{seed}\n{self.start}\n".encode() + body).hexdigest()
        return Batch(
            number, f"send-{digest[:40]}", self.start, self.end, self.line,
            self.last_bytes, tuple(self.events), tuple(self.refused), body,
        )  # fmt: skip


def batches(
    items: Iterable[Ready],
    seed: str,
    start: int = 0,
    borders: Iterable[int] = (),
    limits: BatchLimits = BATCH_LIMITS,
) -> Iterator[Batch]:
    """Group events that begin at the offset `start`. `seed` names the load; `borders` are offsets
    where earlier loads ended.

    What is unfinished ends the load: it is in the last batch, and that batch ends before it.
    """
    number = 0
    ends = sorted((b for b in borders if b > start), reverse=True)
    group = _Group(start)
    for item in items:
        size = len(item.part) + 1
        if (
            (group.size + size > limits.bytes_max and group.events)
            or len(group.events) >= limits.events_max
            or len(group.refused) >= REFUSED_MAX
            or group.refused_bytes >= REFUSED_BYTES_MAX
            or (ends and item.end > ends[-1])
        ):  # fmt: skip
            while ends and item.end > ends[-1]:
                ends.pop()
            if group.events or group.refused:
                yield group.batch(number, seed)
                number, group = number + 1, _Group(group.end)
        if item.error is not None:
            group.refused.append(item)
            group.refused_bytes += len(item.source)
        else:
            group.events.append(item)
            group.size += size
        if not item.unfinished:
            group.end, group.line, group.last_bytes = item.end, item.line, len(item.source)
    if group.events or group.refused:
        yield group.batch(number, seed)
