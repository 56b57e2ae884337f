"""Decoded events as lines of a record, and the verdict on each event, for every ingest protocol.

Events are not objects here: a body of 100 events is one `bytes` and two small arrays (I9).
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from common.errors import BellwetherError
from common.model.position import Position
from common.model.record_value import encode_event_line
from common.scan.events import Accepted, Mended, Refused

Sizes = npt.NDArray[np.int64]


class Target(msgspec.Struct, frozen=True):
    """The dataset that events are stored in, and how deep nested objects are unpacked."""

    team_id: str
    env_id: str
    dataset_id: str
    depth: int


class Lines(msgspec.Struct, frozen=True, eq=False):
    """Events as lines of a record's value, one after the other."""

    text: bytes
    line_bytes: Sizes  # size of each line
    data_bytes: Sizes  # size of the event's data in each line

    def __repr__(self) -> str:
        return f"Lines({self.events} events, text=<{len(self.text)} bytes>)"

    @property
    def events(self) -> int:
        """Number of lines."""
        return len(self.line_bytes)

    def between(self, first: int, end: int) -> bytes:
        """The text of the lines from `first` up to `end`."""
        if first == 0 and end == self.events:
            return self.text
        ends = np.cumsum(self.line_bytes)
        begin = int(ends[first - 1]) if first else 0
        return self.text[begin : int(ends[end - 1])]

    def fitting(self, first: int, room: int) -> int:
        """End of the longest run of lines from `first` on whose text has at most `room` bytes."""
        if first == 0 and len(self.text) <= room:
            return self.events
        return _fitting(self.line_bytes, first, room)

    def fitting_data(self, first: int, room: int) -> int:
        """The same for the bytes of the events' data alone."""
        return _fitting(self.data_bytes, first, room)


NO_LINES = Lines(b"", np.zeros(0, np.int64), np.zeros(0, np.int64))


def _fitting(sizes: Sizes, first: int, room: int) -> int:
    ends = np.cumsum(sizes[first:])
    return first + int(np.searchsorted(ends, room, side="right"))


def one_line(event: Accepted) -> Lines:
    """A single event as lines. `decoded` does the same by lists, which costs 3 us more."""
    line = encode_event_line(event.time_ns, event.rate, event.data)
    return Lines(line, np.array((len(line),), np.int64), np.array((len(event.data),), np.int64))


def joined(parts: Sequence[Lines]) -> Lines:
    """The lines of several, in this order."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return NO_LINES
    return Lines(
        b"".join([part.text for part in parts]),
        np.concatenate([part.line_bytes for part in parts]),
        np.concatenate([part.data_bytes for part in parts]),
    )


class Decoded(msgspec.Struct, frozen=True, eq=False):
    """Events of one dataset in their order: lines of the accepted ones, and reasons of the refused.

    Every event that is not in `refused` has a line, in order.
    """

    events: int  # all of them, refused ones too
    lines: Lines
    refused: Sequence[tuple[int, Refused]] = ()  # (index of the event, reason), ascending
    mended: Sequence[tuple[int, tuple[Mended, ...]]] = ()  # (index, fields not stored as sent)


def decoded(outcomes: Sequence[Accepted | Refused]) -> Decoded:
    """Lines and refusals from a scanner's outcome of each event."""
    lines: list[bytes] = []
    data_bytes: list[int] = []
    refused: list[tuple[int, Refused]] = []
    mended: list[tuple[int, tuple[Mended, ...]]] = []
    for index, outcome in enumerate(outcomes):
        if isinstance(outcome, Refused):
            refused.append((index, outcome))
            continue
        lines.append(encode_event_line(outcome.time_ns, outcome.rate, outcome.data))
        data_bytes.append(len(outcome.data))
        if outcome.mended:
            mended.append((index, outcome.mended))
    sizes = np.array([len(line) for line in lines], np.int64)
    found = Lines(b"".join(lines), sizes, np.array(data_bytes, np.int64))
    return Decoded(len(outcomes), found, refused, mended)


class Stored(msgspec.Struct, frozen=True):
    """The outcome of `events` consecutive lines: their position, or why they are not stored."""

    events: int
    outcome: Position | BellwetherError


def stored_events(stored: Sequence[Stored]) -> int:
    """The number of events that are stored in the log."""
    events = 0
    for part in stored:
        if isinstance(part.outcome, Position):
            events += part.events
    return events


class Verdict(msgspec.Struct, frozen=True):
    """The outcome of one event of a request."""

    outcome: Position | Refused | BellwetherError  # position, refusal by a rule, or why not stored
    mended: tuple[Mended, ...] = ()  # fields that are not stored as sent


def verdicts_of(events: Decoded, stored: Sequence[Stored]) -> list[Verdict]:
    """One verdict per event of a dataset, in order. stored: the outcome of its lines."""
    outcomes = [part.outcome for part in stored for _ in range(part.events)]
    refused, mended = dict(events.refused), dict(events.mended)
    lines = iter(outcomes)
    return [
        Verdict(refused[index]) if index in refused else Verdict(next(lines), mended.get(index, ()))
        for index in range(events.events)
    ]
