"""What splitting a batch body gives: lines of a record, and refusals in their places (I9).

Events are not objects here: a body of 100 events is one run of bytes and two small arrays.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from common.model.record import encode_event_line
from common.scan.events import Accepted, Mended, Refused
from common.scan.work import Work
from shepherd.http.body import Media

Sizes = npt.NDArray[np.int64]


class Lines(msgspec.Struct, frozen=True, eq=False):
    """Events as lines of a record's value, one after the other.

    line_bytes: size of each line; data_bytes: of the event's data in it.
    """

    text: bytes
    line_bytes: Sizes
    data_bytes: Sizes

    def __repr__(self) -> str:
        return f"Lines({self.events} events, text=<{len(self.text)} bytes>)"

    @property
    def events(self) -> int:
        """How many lines there are."""
        return len(self.line_bytes)

    def between(self, first: int, end: int) -> bytes:
        """The text of these lines."""
        if first == 0 and end == self.events:
            return self.text
        ends = np.cumsum(self.line_bytes)
        begin = int(ends[first - 1]) if first else 0
        return self.text[begin : int(ends[end - 1])]

    def fitting(self, first: int, room: int) -> int:
        """Behind the last of the lines from `first` on that fit into so many bytes."""
        if first == 0 and len(self.text) <= room:
            return self.events
        return _fitting(self.line_bytes, first, room)

    def fitting_data(self, first: int, room: int) -> int:
        """Behind the last of the events from `first` on whose data fits into so many bytes."""
        return _fitting(self.data_bytes, first, room)


def _fitting(sizes: Sizes, first: int, room: int) -> int:
    ends = np.cumsum(sizes[first:])
    return first + int(np.searchsorted(ends, room, side="right"))


class Split(msgspec.Struct, frozen=True, eq=False):
    """A body's events: those that can be stored, in order, and why the others cannot.

    events: all of them. refused: (place among all, why), ascending; mended: (place, what), of
    events that are not stored just as they were sent.
    """

    events: int
    lines: Lines
    refused: Sequence[tuple[int, Refused]]
    mended: Sequence[tuple[int, tuple[Mended, ...]]] = ()


class Splitter(Protocol):
    """An implementation of splitting; `name` is shown in status. Any thread may use it."""

    @property
    def name(self) -> str:
        """Which one it is."""

    def split(
        self, body: bytes, media: Media, depth: int, arrival_ns: int, work: Work | None = None
    ) -> Split:
        """The events of a batch body. Raises MalformedBody for the whole of it, TooMuchWork, and
        WorkStopped when `work` is stopped meanwhile.
        """

    def split_quickly(self, body: bytes, media: Media, depth: int, arrival_ns: int) -> Split | None:
        """The same, if it keeps an event loop no longer than some milliseconds whatever is in the
        body; else None.
        """


def one_line(event: Accepted) -> Lines:
    """A single event as lines. `framed` does the same by way of lists: 3 us more."""
    line = encode_event_line(event.time_ns, event.rate, event.data)
    return Lines(line, np.array((len(line),), np.int64), np.array((len(event.data),), np.int64))


def framed(outcomes: Sequence[Accepted | Refused]) -> Split:
    """Outcomes of a scanner as lines and refusals."""
    lines: list[bytes] = []
    data_bytes: list[int] = []
    refused: list[tuple[int, Refused]] = []
    mended: list[tuple[int, tuple[Mended, ...]]] = []
    for place, outcome in enumerate(outcomes):
        if isinstance(outcome, Refused):
            refused.append((place, outcome))
            continue
        lines.append(encode_event_line(outcome.time_ns, outcome.rate, outcome.data))
        data_bytes.append(len(outcome.data))
        if outcome.mended:
            mended.append((place, outcome.mended))
    sizes = np.array([len(line) for line in lines], np.int64)
    found = Lines(b"".join(lines), sizes, np.array(data_bytes, np.int64))
    return Split(len(outcomes), found, refused, mended)
