"""The summaries that questions use, in memory within a bound (I11)."""

import threading
from collections.abc import Set
from typing import Final

from common.metrics import summaries_held, summaries_held_bytes
from segment.summary.summary import SegmentSummary

# Some 3,000 segments of 24 fields. Without a summary a question opens the segment, as before.
HELD_BYTES_MAX: Final = 64 * 2**20


class HeldSummaries:
    """Summaries by hash of their segment; the oldest rows go first. Safe to use from threads."""

    def __init__(self, bytes_max: int = HELD_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._held: dict[str, SegmentSummary] = {}
        self._order: dict[str, int] = {}
        self._lock = threading.Lock()
        self._floor: int | None = None
        self.bytes_held = 0

    def __len__(self) -> int:
        return len(self._held)

    def known(self, object_hash: str) -> SegmentSummary | None:
        """The summary of a segment, if it is held."""
        return self._held.get(object_hash)

    def wants(self, order: int) -> bool:
        """Whether there is room for a summary of that order: none as new was pushed out."""
        return self._floor is None or order > self._floor

    def add(self, summary: SegmentSummary, order: int) -> None:
        """Hold a summary. order: that of its rows; those of the lowest order are pushed out."""
        with self._lock:
            self._drop(summary.object_hash)
            self._held[summary.object_hash] = summary
            self._order[summary.object_hash] = order
            self.bytes_held += summary.held_bytes
            while self.bytes_held > self._bytes_max:
                oldest = min(self._order, key=self._order.__getitem__)
                self._floor = max(self._order[oldest], self._floor or self._order[oldest])
                self._drop(oldest)
            self._show()

    def retain(self, object_hashes: Set[str]) -> None:
        """Drop the summaries of other segments: they are read no more."""
        with self._lock:
            gone = self._held.keys() - object_hashes
            for name in gone:
                self._drop(name)
            if gone:
                self._floor = None  # there is room again
            self._show()

    def _drop(self, name: str) -> None:
        dropped = self._held.pop(name, None)
        if dropped is not None:
            del self._order[name]
            self.bytes_held -= dropped.held_bytes

    def _show(self) -> None:
        summaries_held.set(len(self._held))
        summaries_held_bytes.set(self.bytes_held)
