"""The window of batch ids by which a partition recognises duplicates (I2, I3).

It reaches back over a number of markers that close an hour. Older copies are found only in the
lists of published cuts (`snapshot.documents.batch_lists`).
"""

from collections.abc import Mapping

from common import limits
from common.model.reroute import EpochOffset
from snapshot.documents.carried_state import CarriedState


class BatchWindow:
    """Batch ids and where their first copies are. It follows from the log alone.

    marked_at: the position of the newest marker that closed an hour.
    forgotten_to: copies before this position have left the window and are only in published lists.
    None: no copy has left it since the partition was resumed.
    """

    def __init__(self, carried: CarriedState, epoch_number: int) -> None:
        self._epoch_number = epoch_number
        self._stretches = [dict(window) for window in carried.windows]
        # epoch numbers of copies from before this epoch; the others have its number
        self._older = dict(carried.older)
        if carried.epoch_number != epoch_number:
            copies = (batch for stretch in self._stretches for batch in stretch)
            self._older = dict.fromkeys(copies, carried.epoch_number) | self._older
        self._marked_ns = 0 if carried.marked_at is None else carried.marked_by_ns
        self.marked_at = carried.marked_at
        self.forgotten_to: EpochOffset | None = None

    def add(self, batch: bytes, offset: int) -> bool:
        """Add the first copy of a batch. False: it is a duplicate, and nothing has changed."""
        for stretch in self._stretches:
            if batch in stretch:
                return False
        self._stretches[-1][batch] = offset
        return True

    def withdraw(self, batch: bytes) -> None:
        """Undo the `add` just made: the copy does not count."""
        del self._stretches[-1][batch]

    def close_hour(self, marker: EpochOffset, append_ns: int) -> None:
        """Begin a new stretch at a marker that closes an hour, and forget the oldest one."""
        self.marked_at, self._marked_ns = marker, append_ns
        self._stretches.append({})
        if len(self._stretches) > limits.BATCH_WINDOW_HOUR_MARKERS:
            self._forget(self._stretches.pop(0))

    def _forget(self, stretch: Mapping[bytes, int]) -> None:
        last = max((o for b, o in stretch.items() if b not in self._older), default=None)
        if last is not None:
            self.forgotten_to = EpochOffset(self._epoch_number, last + 1)
        if self._older:
            self._older = {b: e for b, e in self._older.items() if b not in stretch}

    @property
    def forgets_next(self) -> bool:
        """Whether batch ids leave the window at the next marker that closes an hour."""
        return len(self._stretches) >= limits.BATCH_WINDOW_HOUR_MARKERS

    def __len__(self) -> int:
        return sum(len(stretch) for stretch in self._stretches)

    def copy_of(self, batch: bytes) -> EpochOffset | None:
        """Position of the batch's counting copy, conditional or not, if the window has it."""
        for stretch in self._stretches:
            offset = stretch.get(batch)
            if offset is not None:
                return EpochOffset(self._older.get(batch, self._epoch_number), offset)
        return None

    def covers(self, append_ns: int) -> bool:
        """Whether a record appended at that time was compared with no more than this window."""
        return self._marked_ns is not None and self._marked_ns <= append_ns

    def carried_state(self) -> tuple[tuple[Mapping[bytes, int], ...], Mapping[bytes, int]]:
        """(windows, older) of `CarriedState`."""
        return tuple(dict(stretch) for stretch in self._stretches), dict(self._older)
