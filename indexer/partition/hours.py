"""When a marker may close an hour: by the time that passed, never by what a clock shows (I2, I13).

At the second hour marker a batch id is forgotten, and its client may repeat it until then. A clock
that leaps two hours must not let two markers follow each other, so an hour is closed only after
processes have followed the partition for long enough since the marker before, by monotonic time.
What a process has followed is kept on its disk: restarts lose a little of it, and add nothing.
"""

import contextlib
import logging
from pathlib import Path

import msgspec

from common import durable, limits
from common.errors import BellwetherError
from common.logs import log_event
from common.model.reroute import EpochOffset
from indexer.state.partition_state import HOUR_NS, PartitionState
from snapshot.documents.checksummed import DOCUMENT_FORMAT, decode_checked, encode_checked

_SAVE_NS = 30 * 10**9  # so much is lost by a restart, of 45 min that are needed
_GATHER_NS = 60 * 10**9  # a first row is not cut at once
logger = logging.getLogger(__name__)


class Followed(msgspec.Struct, frozen=True):
    """For how long this folder's processes have followed a partition since its newest hour marker.

    marker: (epoch number, offset) of that marker; None: there was none.
    followed_ns: monotonic nanoseconds.
    """

    marker: tuple[int, int] | None = None
    followed_ns: int = 0
    format: int = DOCUMENT_FORMAT


class HourGate:
    """Of one partition. `look` is to be called when the log has been read to its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = Followed()
        self._since_ns: int | None = None
        self._saved_ns = 0

    def load(self) -> None:
        """Read what the processes before have followed. Blocks.

        A file that cannot be read, or is damaged, says nothing: then the time counts from now on.
        """
        with contextlib.suppress(OSError, BellwetherError):
            self._known = decode_checked(self._path.read_bytes(), Followed, self._path.name)

    def followed(self, marked_at: EpochOffset | None, now_ns: int) -> Followed:
        """What was followed up to now (monotonic). A new marker begins it anew."""
        marker = None if marked_at is None else (marked_at.epoch, marked_at.offset)
        if self._known.marker != marker:
            self._known, self._since_ns = Followed(marker), now_ns
        elif self._since_ns is None:
            self._since_ns = now_ns
        return Followed(marker, self._known.followed_ns + now_ns - self._since_ns)

    def may_close(self, state: PartitionState, now_ns: int) -> bool:
        """Whether a marker that closes an hour lets no batch id go too soon."""
        followed_ns = self.followed(state.marked_at, now_ns).followed_ns
        return not state.forgets_next or followed_ns >= limits.HOUR_MARKERS_APART_NS

    def save(self, marked_at: EpochOffset | None, now_ns: int) -> None:
        """Keep it for the next process, now and then. Blocks.

        Where the disk is full it is not kept: the next process then waits longer.
        """
        followed = self.followed(marked_at, now_ns)
        if now_ns - self._saved_ns < _SAVE_NS:
            return
        self._saved_ns = now_ns
        try:
            durable.make_folder(self._path.parent)
            durable.replace(self._path, encode_checked(followed))
        except OSError as error:
            log_event(logger, logging.INFO, "time that was followed is not kept", why=str(error))


class LateCut:
    """When a marker on demand takes the place of an hour marker that must wait (I5).

    Rows are in a snapshot within about an hour: of the log's time, or of monotonic time where
    that one stands still. Any cut serves, whoever asked for it.
    """

    def __init__(self) -> None:
        self._first: int | None = None
        self._rows_since_ns: int | None = None
        self._cut_in: int | None = None

    def is_due(self, state: PartitionState, hour: int | None, now_ns: int) -> bool:
        """hour: the one that is over and not closed, None if there is none. now_ns: monotonic."""
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
