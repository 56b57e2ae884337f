"""What is damaged of a partition, read from the object store and the log without an indexer (I7).

Published cuts list what their segments lack. Records that no cut covers yet are read from the log
as an indexer reads them, so an operator sees damage also while no role runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from common.errors import BellwetherError, LogLost, LogUnavailable, OffsetGone
from common.log import Log
from common.model.record import LogRecord, RecordError, decode
from common.model.record_value import event_lines
from common.model.reroute import EpochOffset
from common.objects import ObjectStore
from snapshot.bootstrap.bootstrap import newest_first, read_history
from snapshot.damage.damage import (
    carried_damage,
    compact,
    damaged_by_content,
    damaged_by_log,
    is_missing,
    without,
)
from snapshot.damage.settlements import SettlementBook, settled_entries, unsettled
from snapshot.documents.chain import Chain
from snapshot.documents.manifest import Damaged
from snapshot.threads import to_store_thread

_READ_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PartitionDamage:
    """The damage of one partition.

    uncovered_from: the first offset that no published cut covers. Damage from there on was found by
    reading the log, and a running indexer may still repair it.
    missing: damaged records that are not settled, those that a cut covers first.
    settled: damaged records that an operator counted as lost.
    unreadable: why the log could not be read to its end; "": it was read.
    unreadable_from: from which offset on; 0 if it was read.
    read_to: the exclusive end of what was read.
    lost: (first offset, end, reason) of what the log cannot return at all and is not settled.
    """

    partition: int
    epoch_number: int
    uncovered_from: int
    missing: tuple[Damaged, ...]
    settled: tuple[Damaged, ...]
    unreadable: str = ""
    unreadable_from: int = 0
    read_to: int = 0
    lost: tuple[tuple[int, int, str], ...] = ()


@dataclass(slots=True)
class _LogScan:
    """The progress of reading the log.

    at: the next offset to read.
    found: damaged records.
    why: the error that ended the scan; "": none.
    lost: (first offset, end, reason) of what the log cannot return.
    mended: positions of damaged records that were appended again.
    """

    at: int
    found: list[Damaged] = field(default_factory=list)
    watermark_ns: int = 0
    why: str = ""
    lost: list[tuple[int, int, str]] = field(default_factory=list)
    mended: list[EpochOffset] = field(default_factory=list)


async def read_damage(objects: ObjectStore, log: Log, partition: int) -> PartitionDamage:
    """Read a partition's damage.

    Raises ObjectsUnavailable, and LogUnavailable if the log does not answer at all.
    """
    chain = Chain(objects, partition, None)
    bounds = await log.bounds(partition)
    history = await to_store_thread(read_history, chain, bounds.start)
    newest = history.newest
    current = history.epochs[-1] if history.epochs else None
    number = 1 if current is None else current.number
    resume_at = bounds.start if current is None else current.first_offset
    if newest is not None and newest.epoch_number == number:
        resume_at = newest.next_offset
    carried = await to_store_thread(lambda: carried_damage(newest_first(chain, history)))
    book = SettlementBook(chain)
    await to_store_thread(book.refresh)
    scan = _LogScan(max(resume_at, bounds.start))
    scan.watermark_ns = 0 if newest is None else newest.watermark_ns
    known = set() if newest is None else set(newest.datasets)
    await _scan_log(log, partition, scan, bounds.end, number, known)
    found = [
        msgspec.structs.replace(one, credible=not one.dataset or one.dataset in known)
        for one in scan.found
    ]
    entries = compact([*carried, *found])
    for place in scan.mended:
        if is_missing(entries, place):
            entries = without(entries, place.epoch, place.offset, place.offset + 1)
    missing = unsettled(entries, book.settled)
    return PartitionDamage(
        partition=partition,
        epoch_number=number,
        uncovered_from=resume_at,
        missing=tuple(missing),
        settled=tuple(settled_entries(entries, missing)),
        unreadable=scan.why,
        unreadable_from=scan.at if scan.why else 0,
        read_to=scan.at,
        lost=tuple(
            (first, end, why)
            for first, end, why in scan.lost
            if not any(
                one.epoch_number == number and one.first <= first and end <= one.end
                for one in book.skips
            )
        ),
    )


async def _scan_log(
    log: Log, partition: int, scan: _LogScan, end: int, number: int, known: set[str]
) -> None:
    while scan.at < end:
        try:
            messages = await log.read(partition, scan.at, _READ_BYTES, 0)
        except OffsetGone as error:
            scan.at = error.start
            continue
        except LogLost as error:
            scan.lost.append((scan.at, error.end, str(error)))
            scan.at = max(error.end, scan.at + 1)
            continue
        except LogUnavailable as error:
            scan.why = str(error)
            return
        if not messages:
            return
        for message in messages:
            _scan_record(message, scan, number, known)
        scan.at = messages[-1].offset + 1


def _scan_record(message: LogRecord, scan: _LogScan, number: int, known: set[str]) -> None:
    try:
        record = decode(message)
    except RecordError as error:
        scan.found.append(damaged_by_log(number, message, error, scan.watermark_ns, known))
        return
    scan.watermark_ns = max(scan.watermark_ns, message.append_ns)
    if record.mends is not None:
        scan.mended.append(EpochOffset(*record.mends))
    if not record.has_events:
        return
    known.add(record.dataset)
    try:
        event_lines(record)
    except RecordError as error:
        place = EpochOffset(number, message.offset)
        scan.found.append(damaged_by_content(place, message.append_ns, record, str(error)))


class NotDamaged(BellwetherError):
    """The records to be settled are not damaged, or settled already; nothing was done."""


def damaged_among(
    missing: Sequence[Damaged], first: int, end: int, epoch_number: int
) -> list[Damaged]:
    """The damaged records among these offsets. Raises NotDamaged if there is none."""
    found = [
        one
        for one in missing
        if one.epoch_number == epoch_number and one.first < end and first < one.end
    ]
    if not found:
        wanted = f"{first}" if end == first + 1 else f"{first}-{end - 1}"
        raise NotDamaged(f"offset {wanted} of epoch {epoch_number} is not damaged or is settled")
    return found
