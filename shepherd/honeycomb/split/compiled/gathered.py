"""The lines and refusals of a body, pass by pass, put together at its end (I9).

What was noted beside the lines is looked at when the whole body is known to be good: one that is
refused near its end has cost nothing but its passes.
"""

import numpy as np

from common.model.record import encode_event_line
from common.scan.events import Accepted, Mended, Refused
from common.scan.json_events import Reading
from shepherd.honeycomb.split.compiled.faults import Entries
from shepherd.honeycomb.split.kernel import memory as m
from shepherd.honeycomb.split.kernel.memory import Memory
from shepherd.lines import Decoded, Lines, Sizes

_NO_LINES = Lines(b"", np.zeros(0, np.int64), np.zeros(0, np.int64))


class Gathered:
    """The lines and refusals of a body so far."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._texts: list[bytes] = []
        self._line_bytes: list[Sizes] = []
        self._data_bytes: list[Sizes] = []
        self._later: list[tuple[int, Sizes]] = []  # before which of the above, words of entries
        self._refused: list[tuple[int, Refused]] = []
        self._mended: list[tuple[int, tuple[Mended, ...]]] = []

    def add_pass(self, memory: Memory, rows: int, size: int) -> None:
        """Take the lines of a pass, and what was noted beside them."""
        words = memory.words
        if words[m.ENTRIES]:
            self._reading.work.spend(int(words[m.ENTRIES]))
            end = m.ENTRY_TABLE + int(words[m.ENTRIES_TO])
            self._later.append((len(self._texts), words[m.ENTRY_TABLE : end].copy()))
        elif not rows:
            return
        self._texts.append(memory.out[:size].tobytes())
        self._line_bytes.append(words[m.LINE_BYTES : m.LINE_BYTES + rows].copy())
        self._data_bytes.append(words[m.DATA_BYTES : m.DATA_BYTES + rows].copy())

    def add(self, place: int, outcome: Accepted | Refused) -> None:
        """Take the outcome of one element, the next in order."""
        if isinstance(outcome, Refused):
            self._refused.append((place, outcome))
            return
        self._note(place, outcome)
        line = encode_event_line(outcome.time_ns, outcome.rate, outcome.data)
        self._texts.append(line)
        self._line_bytes.append(np.array([len(line)], np.int64))
        self._data_bytes.append(np.array([len(outcome.data)], np.int64))

    def split(self, events: int) -> Decoded:
        """All of it, of so many events."""
        if self._later:
            self._look_at_entries()
        return Decoded(events, self._lines(), self._refused, self._mended)

    def _look_at_entries(self) -> None:
        entries = Entries(self._reading)
        for part, words in self._later:
            refused, taken = entries.read(words.tolist())
            self._refused += refused
            if taken:
                self._put_in(part, taken)
        self._refused.sort(key=lambda one: one[0])  # with the reference's
        self._mended.sort(key=lambda one: one[0])

    def _note(self, place: int, event: Accepted) -> None:
        if event.mended:
            self._mended.append((place, event.mended))

    def _put_in(self, part: int, taken: list[tuple[int, int, Accepted]]) -> None:
        """Put events into a pass, each before the line that it is noted with."""
        text, sizes, data = self._texts[part], self._line_bytes[part], self._data_bytes[part]
        ends = [0, *np.cumsum(sizes).tolist()]
        pieces: list[bytes] = []
        lengths: list[int] = []
        at = 0
        for place, row, event in taken:
            self._note(place, event)
            line = encode_event_line(event.time_ns, event.rate, event.data)
            lengths.append(len(line))
            pieces += (text[at : ends[row]], line)
            at = ends[row]
        self._texts[part] = b"".join((*pieces, text[at:]))
        rows = [row for _, row, _ in taken]
        self._line_bytes[part] = np.insert(sizes, rows, lengths)
        self._data_bytes[part] = np.insert(data, rows, [len(event.data) for _, _, event in taken])

    def _lines(self) -> Lines:
        if len(self._texts) == 1:
            return Lines(self._texts[0], self._line_bytes[0], self._data_bytes[0])
        if not self._texts:
            return _NO_LINES
        return Lines(
            b"".join(self._texts),
            np.concatenate(self._line_bytes),
            np.concatenate(self._data_bytes),
        )
