"""Uptime: the total run time of this process and earlier ones on this disk (I13).

A clock's time does not prove that time has passed, so grace times and the age of log records are
measured in uptime: monotonic time, added up across restarts in a small file. Without the file, or
with a damaged one, uptime begins at zero, and every wait is longer.
"""

import logging
from pathlib import Path

import msgspec

from common import atomic_files, limits
from common.errors import BellwetherError
from common.logs import log_event
from snapshot.documents.checksummed import DOCUMENT_FORMAT, decode_checksummed, encode_checksummed

_SAVE_NS = 60 * 10**9
logger = logging.getLogger(__name__)


class _Saved(msgspec.Struct):
    """The content of the file. All times are uptime in ns.

    ran_ns: total uptime.
    documents: number of a retention document -> uptime when it was first seen.
    compactions: the same for compaction documents.
    bases: the same for bases of compactions.
    covered: (epoch number, offset, uptime when a manifest was first seen to cover it).
    """

    ran_ns: int = 0
    documents: dict[int, int] = {}
    compactions: dict[int, int] = {}
    bases: dict[int, int] = {}
    covered: list[tuple[int, int, int]] = []
    format: int = DOCUMENT_FORMAT


class Uptime:
    """The uptime of one partition on this disk. Only `__init__` and `save` access the file."""

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
            return decode_checksummed(self._path.read_bytes(), _Saved, self._path.name)
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
        """The uptime at the last update."""
        return self._steady_ns - self._begun_ns

    def update(self, steady_ns: int) -> None:
        """Advance to the present monotonic time."""
        self._steady_ns = max(self._steady_ns, steady_ns)

    # --- documents that wait for their grace time -------------------------------------------------
    def set_pending_documents(self, numbers: list[int]) -> None:
        """Keep only these documents, which wait for their grace time."""
        known = self._saved.documents
        documents = {number: known.get(number, self.total_ns) for number in numbers}
        if documents != known:
            self._saved.documents, self._changed = documents, True

    def since_document_ns(self, number: int) -> int:
        """The uptime since the document was first seen."""
        return self.total_ns - self._saved.documents.get(number, self.total_ns)

    def set_pending_compactions(self, numbers: list[int]) -> None:
        """As `set_pending_documents`, for compaction documents."""
        known = self._saved.compactions
        compactions = {number: known.get(number, self.total_ns) for number in numbers}
        if compactions != known:
            self._saved.compactions, self._changed = compactions, True

    def since_compaction_ns(self, number: int) -> int:
        """The uptime since the compaction document was first seen."""
        return self.total_ns - self._saved.compactions.get(number, self.total_ns)

    def set_pending_base(self, newest: int) -> None:
        """As `set_pending_documents`, for the newest base of compactions; 0: there is none."""
        known = self._saved.bases
        bases = {newest: known.get(newest, self.total_ns)} if newest else {}
        if bases != known:
            self._saved.bases, self._changed = bases, True

    def since_base_ns(self, number: int) -> int:
        """The uptime since the base was first seen."""
        return self.total_ns - self._saved.bases.get(number, self.total_ns)

    # --- covered offsets of the log ---------------------------------------------------------------
    def mark_covered(self, epoch: int, offset: int, keep_ns: int) -> None:
        """Record that a manifest covers the log of that epoch up to this offset.

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
        """The offset before which all records have been covered for `keep_ns` of uptime."""
        old = [
            offset
            for number, offset, at_ns in self._saved.covered
            if number == epoch and self.total_ns - at_ns >= keep_ns
        ]
        return max(old, default=0)

    def save(self) -> None:
        """Write the file if a save is due. Blocks; a full disk does not stop the process."""
        due = self._steady_ns - self._saved_ns >= _SAVE_NS
        if not due and not self._changed:
            return
        self._saved.ran_ns = self.total_ns
        try:
            atomic_files.make_folder(self._path.parent)
            atomic_files.replace(self._path, encode_checksummed(self._saved))
        except OSError as error:
            log_event(
                logger, logging.WARNING, "run time not saved", path=str(self._path), why=str(error)
            )
            return
        self._saved_ns, self._changed = self._steady_ns, False
