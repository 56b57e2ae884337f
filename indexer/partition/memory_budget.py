"""The budgets of one process over all its partitions: memory of live rows, disk of cuts (I11).

Beyond a budget reading pauses; the log alone decides where cuts are (I3). One partition may always
go on, so that it reaches its next cut and its rows leave memory: reading never stops for good.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from common.logs import log_event
from common.metrics import reading_paused

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """The memory and disk that a partition uses.

    uncut_bytes: bytes of rows since its last cut.
    sealing_bytes: bytes of rows that wait to be sealed.
    behind: whether its log has records that are not read yet.
    waiting_bytes: bytes of sealed files that are not in the object store yet.
    """

    uncut_bytes: int
    sealing_bytes: int
    behind: bool
    waiting_bytes: int = 0


def may_read(
    number: int, uses: Mapping[int, MemoryUse], bytes_max: int, waiting_max: int = 2**63
) -> bool:
    """Whether the partition of that number may read on.

    Beyond the budget no partition reads while rows are being sealed, which frees their memory;
    after that only the one with the most uncut bytes among those with unread records. It is the
    nearest to its next cut, which is never more than CUT_BYTES_MAX_V1 away.
    """
    if sum(use.waiting_bytes for use in uses.values()) >= waiting_max:
        return False  # object store down: its return frees the disk, and the log keeps the records
    if sum(use.uncut_bytes + use.sealing_bytes for use in uses.values()) < bytes_max:
        return True
    if any(use.sealing_bytes for use in uses.values()):
        return False
    behind = [other for other, use in uses.items() if use.behind]
    return bool(behind) and number == max(behind, key=lambda n: (uses[n].uncut_bytes, -n))


_NOTHING = MemoryUse(0, 0, False)


class LiveBudget:
    """The uses of all partitions of a process. Used from one event loop."""

    def __init__(self, bytes_max: int, waiting_max: int = 2**63) -> None:
        self._bytes_max = bytes_max
        self._waiting_max = waiting_max
        self._uses: dict[int, MemoryUse] = {}
        self._paused: set[int] = set()
        self._memory_bytes = 0  # sums over all partitions, which each step of each one needs
        self._waiting_bytes = 0

    def request(self, number: int, use: MemoryUse) -> bool:
        """Set what a partition uses now. Returns whether it may read on."""
        self._set(number, use)
        has_room = self._waiting_bytes < self._waiting_max and self._memory_bytes < self._bytes_max
        allowed = has_room or may_read(number, self._uses, self._bytes_max, self._waiting_max)
        if allowed == self.paused(number):
            text = "reading goes on" if allowed else "reading pauses: no room"
            log_event(logger, logging.DEBUG, text, partition=number)  # may be many times a second
            self._mark(number, paused=not allowed)
        return allowed

    @property
    def waiting_bytes(self) -> int:
        """Disk bytes of cuts that wait for the object store, over all partitions."""
        return self._waiting_bytes

    def paused(self, number: int) -> bool:
        """Whether the partition waits for room."""
        return number in self._paused

    def forget(self, number: int) -> None:
        """Remove a partition that is no longer followed here."""
        self._set(number, None)
        self._mark(number, paused=False)

    def _set(self, number: int, use: MemoryUse | None) -> None:
        """Replace what a partition uses, and keep the sums."""
        before = self._uses.pop(number, _NOTHING)
        now = use or _NOTHING
        self._memory_bytes += now.uncut_bytes + now.sealing_bytes
        self._memory_bytes -= before.uncut_bytes + before.sealing_bytes
        self._waiting_bytes += now.waiting_bytes - before.waiting_bytes
        if use is not None:
            self._uses[number] = use

    def _mark(self, number: int, *, paused: bool) -> None:
        (self._paused.add if paused else self._paused.discard)(number)
        reading_paused.labels(str(number)).set(paused)
