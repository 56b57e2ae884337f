"""When an hour marker may be appended: by elapsed monotonic time, not a clock's time (I2, I13).

An hour marker is a control record that closes an hour. A batch id is forgotten at the second one
after it, and its client may repeat it until then. A clock that leaps two hours must not put two
markers close together, so an hour is closed only after processes have followed the partition for
long enough since the last marker, by monotonic time. That time is saved on the disk: a restart
loses a little of it, and never adds any.
"""

import contextlib
import logging
from pathlib import Path

import msgspec

from common import atomic_files, limits
from common.errors import BellwetherError
from common.logs import log_event
from common.model.reroute import EpochOffset
from indexer.state.partition_state import HOUR_NS, PartitionState
from snapshot.documents.checksummed import DOCUMENT_FORMAT, decode_checksummed, encode_checksummed

_SAVE_NS = 30 * 10**9  # a restart loses at most this of the 45 min that are needed
_GATHER_NS = 60 * 10**9  # the first rows since a cut wait this long for others
logger = logging.getLogger(__name__)


class Followed(msgspec.Struct, frozen=True):
    """How long processes with this folder have followed a partition since its newest hour marker.

    marker: (epoch number, offset) of that marker; None before the first one.
    followed_ns: monotonic nanoseconds.
    """

    marker: tuple[int, int] | None = None
    followed_ns: int = 0
    format: int = DOCUMENT_FORMAT


class HourGate:
    """Allows hour markers of one partition. Call `followed` when the log is read to its end."""

    def __init__(self, path: Path, apart_ns: int = limits.HOUR_MARKERS_APART_NS) -> None:
        """apart_ns: how long to follow the partition between two markers (monotonic)."""
        self._path = path
        self._apart_ns = apart_ns
        self._known = Followed()
        self._since_ns: int | None = None
        self._saved_ns = 0

    def load(self) -> None:
        """Read the time that earlier processes followed. Blocks.

        If the file is damaged or cannot be read, the time begins at 0.
        """
        with contextlib.suppress(OSError, BellwetherError):
            self._known = decode_checksummed(self._path.read_bytes(), Followed, self._path.name)

    def followed(self, marked_at: EpochOffset | None, now_ns: int) -> Followed:
        """The time followed since the newest marker (monotonic)."""
        marker = None if marked_at is None else (marked_at.epoch, marked_at.offset)
        if self._known.marker != marker:
            self._known, self._since_ns = Followed(marker), now_ns
        elif self._since_ns is None:
            self._since_ns = now_ns
        return Followed(marker, self._known.followed_ns + now_ns - self._since_ns)

    def may_close(self, state: PartitionState, now_ns: int) -> bool:
        """Whether an hour marker appended now would forget no batch id too soon."""
        followed_ns = self.followed(state.batch_window.marked_at, now_ns).followed_ns
        return not state.batch_window.forgets_next or followed_ns >= self._apart_ns

    def is_save_due(self, now_ns: int) -> bool:
        """Whether `save` should be called: every `_SAVE_NS`, for a restart to lose little."""
        return now_ns - self._saved_ns >= _SAVE_NS

    def save(self, marked_at: EpochOffset | None, now_ns: int) -> None:
        """Save the time for the next process. Blocks.

        On a full disk it is not saved, and the next process waits for longer; so it does after a
        power failure, and the file need not be durable.
        """
        followed = self.followed(marked_at, now_ns)
        self._saved_ns = now_ns
        try:
            atomic_files.make_folder(self._path.parent)
            atomic_files.replace(self._path, encode_checksummed(followed), durable=False)
        except OSError as error:
            log_event(logger, logging.INFO, "time that was followed is not kept", why=str(error))


class LateCut:
    """When a marker on demand replaces an hour marker that must wait (I5).

    Rows are in a snapshot within about an hour: of the log's time, or of monotonic time while the
    log's time stands still. Any cut counts.
    """

    def __init__(self) -> None:
        self._first: int | None = None
        self._rows_since_ns: int | None = None
        self._cut_in: int | None = None

    def is_due(self, state: PartitionState, hour: int | None, now_ns: int) -> bool:
        """hour: an hour that is over and not closed, or None. now_ns: monotonic."""
        first, rows = state.uncut
        if self._first != first:
            if self._first is not None:
                self._cut_in = hour
            self._first, self._rows_since_ns = first, None
        if rows == 0:
            self._rows_since_ns = None
            return False
        if self._rows_since_ns is None:
            self._rows_since_ns = now_ns
        waited_ns = now_ns - self._rows_since_ns
        is_late = hour is not None and hour != self._cut_in
        return waited_ns >= (_GATHER_NS if is_late else HOUR_NS)
