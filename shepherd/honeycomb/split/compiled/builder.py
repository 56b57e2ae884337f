"""Builds the events of a body from the passes over it (I9).

The notes that the kernel wrote beside the lines are read once the whole body is known to be valid:
a body that is refused near its end costs only its passes.
"""

import numpy as np

from common.model.record_value import encode_event_line
from common.scan.events import Accepted, Mended, Refused
from common.scan.json_events import Reading
from shepherd.honeycomb.split.compiled.faults import Entries
from shepherd.honeycomb.split.kernel import memory as m
from shepherd.honeycomb.split.kernel.memory import Memory
from shepherd.ingest.decoded_events import NO_LINES, Decoded, Lines, Sizes


class DecodedBuilder:
    """The lines and refusals of a body so far."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._texts: list[bytes] = []
        self._line_bytes: list[Sizes] = []
        self._data_bytes: list[Sizes] = []
        self._entries: list[tuple[int, Sizes]] = []  # (index of its text, words)
        self._refused: list[tuple[int, Refused]] = []
        self._mended: list[tuple[int, tuple[Mended, ...]]] = []

    def add_pass(self, memory: Memory, rows: int, size: int) -> None:
        """Add the lines of a pass, and the notes beside them."""
        words = memory.words
        if words[m.ENTRIES]:
            self._reading.work.spend(int(words[m.ENTRIES]))
            end = m.ENTRY_TABLE + int(words[m.ENTRIES_TO])
            self._entries.append((len(self._texts), words[m.ENTRY_TABLE : end].copy()))
        elif not rows:
            return
        self._texts.append(memory.out[:size].tobytes())
        self._line_bytes.append(words[m.LINE_BYTES : m.LINE_BYTES + rows].copy())
        self._data_bytes.append(words[m.DATA_BYTES : m.DATA_BYTES + rows].copy())

    def add(self, index: int, outcome: Accepted | Refused) -> None:
        """Add the outcome of one element, the next in order."""
        if isinstance(outcome, Refused):
            self._refused.append((index, outcome))
            return
        self._note(index, outcome)
        line = encode_event_line(outcome.time_ns, outcome.rate, outcome.data)
        self._texts.append(line)
        self._line_bytes.append(np.array([len(line)], np.int64))
        self._data_bytes.append(np.array([len(outcome.data)], np.int64))

    def build(self, events: int) -> Decoded:
        """The whole body, of `events` events."""
        if self._entries:
            self._read_entries()
        return Decoded(events, self._lines(), self._refused, self._mended)

    def _read_entries(self) -> None:
        entries = Entries(self._reading)
        for part, words in self._entries:
            refused, accepted = entries.read(words.tolist())
            self._refused += refused
            if accepted:
                self._insert(part, accepted)
        self._refused.sort(key=lambda one: one[0])  # with the reference's
        self._mended.sort(key=lambda one: one[0])

    def _note(self, index: int, event: Accepted) -> None:
        if event.mended:
            self._mended.append((index, event.mended))

    def _insert(self, part: int, accepted: list[tuple[int, int, Accepted]]) -> None:
        """Insert events into a pass, each before the line that its note names."""
        text, sizes, data = self._texts[part], self._line_bytes[part], self._data_bytes[part]
        ends = [0, *np.cumsum(sizes).tolist()]
        pieces: list[bytes] = []
        lengths: list[int] = []
        at = 0
        for index, row, event in accepted:
            self._note(index, event)
            line = encode_event_line(event.time_ns, event.rate, event.data)
            lengths.append(len(line))
            pieces += (text[at : ends[row]], line)
            at = ends[row]
        self._texts[part] = b"".join((*pieces, text[at:]))
        rows = [row for _, row, _ in accepted]
        self._line_bytes[part] = np.insert(sizes, rows, lengths)
        self._data_bytes[part] = np.insert(
            data, rows, [len(event.data) for _, _, event in accepted]
        )

    def _lines(self) -> Lines:
        if len(self._texts) == 1:
            return Lines(self._texts[0], self._line_bytes[0], self._data_bytes[0])
        if not self._texts:
            return NO_LINES
        return Lines(
            b"".join(self._texts),
            np.concatenate(self._line_bytes),
            np.concatenate(self._data_bytes),
        )
