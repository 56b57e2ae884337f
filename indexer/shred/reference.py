"""The reference shredder: simple rather than fast, the oracle of every other shredder (I3).

A record's value is lines `{"t":<unix ns>,"r":<sample rate>,"d":{...}}`, each with its line break.
One unreadable line quarantines its whole record, because a record is stored whole or not at all.
"""

import re
from collections.abc import Callable, Sequence

from common.model.record import RecordError
from common.model.record_value import event_lines
from common.scan.json_tokens import INT64_MAX, INT64_MIN
from indexer.shred.cells import Cells
from indexer.shred.event import Fields, read_event
from indexer.shred.fast_event import read_event_fast
from indexer.shred.interface import Accepted, Quarantined, Shredded, ShredInput

_ENVELOPE = re.compile(rb'\{"t":(0|-?[1-9][0-9]{0,18}),"r":([1-9][0-9]{0,18}),"d":')

ReadEvent = Callable[[bytes, int], Fields]


class BadLine(ValueError):
    """A line of a record's value that is not an event."""


class ReferenceShredder:
    """Shreds event by event. read: reads one event; both functions give equal fields."""

    name = "reference"

    def __init__(self, read: ReadEvent = read_event_fast) -> None:
        self._read = read

    @classmethod
    def exact(cls) -> "ReferenceShredder":
        """A shredder without the shortcut for simple events: it uses the tokenizer alone."""
        return cls(read_event)

    def shred(self, records: Sequence[ShredInput]) -> Shredded:
        """Columns of the records' events, in order. Deterministic; never raises for bad input."""
        cells = Cells()
        quarantined = []
        for record in records:
            try:
                events = self._read_record(record)
            except ValueError as error:
                quarantined.append(Quarantined(record.offset, str(error)))
            else:
                cells.add_record(record.offset, record.append_ns, events)
        return Shredded((cells.block(),), tuple(quarantined))

    def give_back(self) -> None:
        """No memory is kept between calls."""

    def shred_values(self, records: Sequence[Accepted]) -> Shredded:
        """As `Shredder.shred_values`."""
        inputs: list[ShredInput] = []
        quarantined: list[Quarantined] = []
        for one in records:
            try:
                lines = event_lines(one.record)
            except RecordError as error:
                quarantined.append(Quarantined(one.offset, str(error)))
            else:
                inputs.append(ShredInput(one.offset, one.append_ns, one.record.depth, lines))
        shredded = self.shred(inputs)
        both = sorted((*quarantined, *shredded.quarantined), key=lambda one: one.offset)
        return Shredded(shredded.blocks, tuple(both))

    def _read_record(self, record: ShredInput) -> list[tuple[int, int, Fields]]:
        lines = record.lines.split(b"\n")
        if lines.pop() or not lines:
            raise BadLine("the last line does not end")
        events = []
        for number, line in enumerate(lines):
            try:
                events.append(self.read_line(line, record.depth))
            except ValueError as error:
                raise BadLine(f"event {number}: {error}") from error
        return events

    def read_line(self, line: bytes, depth: int) -> tuple[int, int, Fields]:
        envelope = _ENVELOPE.match(line)
        if envelope is None or not line.endswith(b"}"):
            raise BadLine("not a line of an events record")
        time_ns, rate = int(envelope[1]), int(envelope[2])
        if not (INT64_MIN <= time_ns <= INT64_MAX and rate <= INT64_MAX):
            raise BadLine("time or sample rate is beyond 64 bits")
        return time_ns, rate, self._read(line[envelope.end() : -1], depth)
