"""Checks the log's checksums, and the content of records that are only in the log (I2, I5, I13).

Of the embedded log every record is read. Of a log on servers only records that no manifest covers
are read, up to VERIFY_LOG_BYTES_MAX; its brokers check the rest themselves. Damaged records are
reported and skipped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from common import limits
from common.errors import LogUnavailable, OffsetGone
from common.log import Bounds, Log
from common.log.embedded.examine import examine_log
from common.log.embedded.examine_file import Flaw
from common.model.record import (
    Kind,
    LogRecord,
    RecordDamaged,
    RecordError,
    RecordTooNew,
    decode,
    decode_marker,
)
from common.model.record_value import event_lines
from snapshot.verify.report import Progress, VerifyReport

_EVENTS_MISSING = (
    "answers lack its events until it is mended or settled (`bellwether damage`): look at the "
)
_COVERED = "its events are in a published segment, nothing is missing: look at the disk"


@dataclass(slots=True)
class Covered:
    """What manifests cover of one partition's log.

    pending_from: the first offset that no manifest of the current epoch covers.
    quarantined: offsets before it whose records could not be read when their cut was made.
    window: batch id -> offset of batches that a later copy would repeat.
    """

    pending_from: int = 0
    quarantined: frozenset[int] = frozenset()
    window: Mapping[bytes, int] = field(default_factory=dict)


class LogReadLimits(NamedTuple):
    """How much of a log on servers is read.

    partition_bytes: of one partition, at most.
    read_bytes: by one read.
    """

    partition_bytes: int = limits.VERIFY_LOG_BYTES_MAX
    read_bytes: int = 4 * 1024 * 1024


LOG_READ_LIMITS = LogReadLimits()


class LogCheck:
    """Reads the log of every partition.

    covered: by partition.
    """

    def __init__(
        self,
        report: VerifyReport,
        covered: Mapping[int, Covered],
        read_limits: LogReadLimits = LOG_READ_LIMITS,
    ) -> None:
        self._limits = read_limits
        self._report = report
        self._covered = covered
        self._batches: dict[tuple[int, bytes], None] = {}  # the newest VERIFY_BATCHES_MAX

    def run_embedded(self, folder: Path, progress: Progress) -> None:
        """Examine every file and record of the embedded log. Blocks."""

        def on_progress(done: int, total: int, what: str) -> None:
            progress(done // 1_000_000, total // 1_000_000, f"{what} (MB)")

        found = examine_log(folder, self.visit, on_progress, flaws_max=limits.PROBLEMS_MAX)
        self._report.log_records += found.records
        self._report.log_bytes += found.bytes
        for flaw in found.flaws:
            self._flaw(flaw)

    def _flaw(self, flaw: Flaw) -> None:
        if flaw.partition is None:
            self._report.add(None, flaw.what, flaw.remedy)
            return
        covered = self._covered.get(flaw.partition, Covered())
        remedy = flaw.remedy
        if flaw.first is not None and flaw.end is not None and flaw.end <= covered.pending_from:
            quarantined = any(flaw.first <= offset < flaw.end for offset in covered.quarantined)
            remedy = _EVENTS_MISSING + "disk" if quarantined else _COVERED
        elif flaw.first is not None:
            remedy = f"answers lack what was there (`bellwether damage`): {flaw.remedy}"
        self._report.add(flaw.partition, flaw.what, remedy)

    async def run_servers(
        self, log: Log, partition: int, bounds: Bounds, progress: Progress
    ) -> None:
        """Read what is not covered of a log on servers, up to its current end."""
        start = max(self._covered.get(partition, Covered()).pending_from, bounds.start)
        offset, room = start, self._limits.partition_bytes
        while offset < bounds.end:
            progress(offset - start, bounds.end - start, f"log, partition {partition}")
            try:
                found = await log.read(partition, offset, self._limits.read_bytes, 0)
            except OffsetGone as error:
                offset = max(error.start, offset + 1)
                continue
            except LogUnavailable as error:
                next_offset = await self._next_readable(log, partition, offset, bounds.end)
                what = f"records {offset} to {next_offset - 1}: {error}"
                self._report.add(partition, what, _EVENTS_MISSING + "brokers and their disks")
                offset = next_offset
                continue
            if not found:  # the rest has no records of ours: it is control batches, for example
                return
            for record in found:
                self._report.log_records += 1
                self._report.log_bytes += len(record.value)
                room -= len(record.value)
                self.visit(record)
            offset = found[-1].offset + 1
            if room <= 0:
                what = f"records from {offset} on were not read: more than one run reads"
                remedy = "run it again when snapshots have covered the ones before"
                self._report.add(partition, what, remedy, warning=True)
                return

    async def _next_readable(self, log: Log, partition: int, bad: int, end: int) -> int:
        """The next offset that can be read after a damaged batch. Raises LogUnavailable."""
        await log.bounds(partition)  # raises if the whole log is unavailable
        step = 1
        while bad + step < end:
            try:
                found = await log.read(partition, bad + step, 1, 0)
            except LogUnavailable:
                step *= 2
                continue
            except OffsetGone as error:
                return max(error.start, bad + step)
            return found[0].offset if found else end
        return end

    def visit(self, record: LogRecord) -> None:
        """Check one record whose bytes match its checksum."""
        covered = self._covered.get(record.partition, Covered())
        if record.offset < covered.pending_from:
            return
        self._report.pending_records += 1
        try:
            read = decode(record)
            if read.kind is Kind.MARKER:
                decode_marker(read)
            if not read.has_events:
                return
            event_lines(read)
        except RecordTooNew as error:
            what = f"record {record.offset} of the log: {error}"
            self._report.add(record.partition, what, "upgrade this program")
            return
        except RecordDamaged as error:
            self._report.add(
                record.partition, f"record {record.offset}: {error}", _EVENTS_MISSING + "disks"
            )
            return
        except RecordError as error:
            what = f"record {record.offset} of the log is whole but cannot be read: {error}"
            self._report.add(record.partition, what, "it was written so: report this bug")
            return
        if read.batch in covered.window or (record.partition, read.batch) in self._batches:
            self._report.pending_repeats += 1
            return
        self._batches[record.partition, read.batch] = None
        if len(self._batches) > limits.VERIFY_BATCHES_MAX:
            del self._batches[next(iter(self._batches))]
        self._report.pending_batches += 1
        self._report.pending_events += read.n
