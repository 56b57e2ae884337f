"""How long this process and those before it on this disk have really run, and since when (I13).

What a clock says is no proof that time has passed: a grace time and the age of log records count
as time that somebody ran. It is monotonic time, added up across restarts in a small file. Without
the file, or with a damaged one, it begins anew, and everything waits for longer.
"""

import logging
from pathlib import Path

import msgspec

from common import durable, limits
from common.errors import BellwetherError
from common.logs import log_event
from snapshot.documents.checksummed import DOCUMENT_FORMAT, decode_checked, encode_checked

_SAVE_NS = 60 * 10**9
logger = logging.getLogger(__name__)


class _Saved(msgspec.Struct):
    """ran_ns: all time so far. documents: number -> time that had run when it was seen.

    covered: (epoch number, offset, time that had run when a manifest was seen to cover it).
    """

    ran_ns: int = 0
    documents: dict[int, int] = {}
    covered: list[tuple[int, int, int]] = []
    format: int = DOCUMENT_FORMAT


class Uptime:
    """The time that one partition was run here. Methods that touch the file say so."""

    def __init__(self, path: Path, steady_ns: int) -> None:
        """Blocks briefly: reads the file."""
        self._path = path
        self._saved = self._load()
        self._begun_ns = steady_ns - self._saved.ran_ns
        self._steady_ns = steady_ns
        self._saved_ns = steady_ns - _SAVE_NS
        self._changed = False

    def _load(self) -> _Saved:
        try:
            return decode_checked(self._path.read_bytes(), _Saved, self._path.name)
        except FileNotFoundError:
            return _Saved()
        except (OSError, BellwetherError) as error:
            why = str(error)
            log_event(
                logger, logging.WARNING, "run time starts anew", path=str(self._path), why=why
            )
            return _Saved()

    @property
    def total_ns(self) -> int:
        """Time run so far, at the last look."""
        return self._steady_ns - self._begun_ns

    def update(self, steady_ns: int) -> None:
        """Take note of the time."""
        self._steady_ns = max(self._steady_ns, steady_ns)

    # --- documents that wait for their grace time -------------------------------------------------
    def set_pending_documents(self, numbers: list[int]) -> None:
        """These documents wait now; others are forgotten."""
        known = self._saved.documents
        documents = {number: known.get(number, self.total_ns) for number in numbers}
        if documents != known:
            self._saved.documents, self._changed = documents, True

    def since_document_ns(self, number: int) -> int:
        """How long somebody ran here since the document was seen."""
        return self.total_ns - self._saved.documents.get(number, self.total_ns)

    # --- what of the log is covered ---------------------------------------------------------------
    def mark_covered(self, epoch: int, offset: int, keep_ns: int) -> None:
        """A manifest covers the log of that epoch up to this offset.

        keep_ns: see `droppable_before`.
        """
        marks = [mark for mark in self._saved.covered if mark[0] == epoch]
        apart_ns = keep_ns // (limits.RUN_MARKS_MAX // 2)
        if not marks or (marks[-1][1] < offset and self.total_ns - marks[-1][2] >= apart_ns):
            marks.append((epoch, offset, self.total_ns))
        marks = marks[-limits.RUN_MARKS_MAX :]
        if marks != self._saved.covered:
            self._saved.covered, self._changed = marks, True

    def droppable_before(self, epoch: int, keep_ns: int) -> int:
        """Offset before which everything has been covered for `keep_ns` of time run here."""
        old = [
            offset
            for number, offset, at_ns in self._saved.covered
            if number == epoch and self.total_ns - at_ns >= keep_ns
        ]
        return max(old, default=0)

    def save(self) -> None:
        """Write the file if it is time to. Blocks; a disk that is full is no reason to stop."""
        due = self._steady_ns - self._saved_ns >= _SAVE_NS
        if not due and not self._changed:
            return
        self._saved.ran_ns = self.total_ns
        try:
            durable.make_folder(self._path.parent)
            durable.replace(self._path, encode_checked(self._saved))
        except OSError as error:
            log_event(
                logger, logging.WARNING, "run time not saved", path=str(self._path), why=str(error)
            )
            return
        self._saved_ns, self._changed = self._steady_ns, False
