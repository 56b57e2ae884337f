"""Epochs: which incarnation of the log a partition's offsets belong to (I5).

An epoch is opened by a document that is put if absent. The next one opens when the log's id has
changed, or when the record before the next offset is not the one that the newest manifest names.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import msgspec

from common.errors import BellwetherError, LogLost, ObjectsUnavailable, OffsetGone
from common.log import Bounds, Log
from common.logs import log_event
from common.model.record import RecordError, decode
from common.objects import ObjectStore
from snapshot.documents.checksummed import DOCUMENT_FORMAT
from snapshot.documents.manifest import Gap, Manifest, parse_manifest_key

FIRST_EPOCH = 1
SET_BACK = "the log was set back"
logger = logging.getLogger(__name__)


class Epoch(msgspec.Struct, frozen=True, kw_only=True):
    """One epoch of a partition.

    log: the log's id.
    first_offset: where indexing begins in this log.
    predecessor: key of the manifest that the epoch follows. Manifests of older epochs after that
    one do not count.
    gap: offsets that were lost when the epoch was opened.
    opened_ns: unix ns.
    """

    partition: int
    number: int
    log: str
    first_offset: int
    predecessor: str | None
    gap: Gap | None
    reason: str
    writer: str
    zone: str
    opened_ns: int
    format: int = DOCUMENT_FORMAT

    @property
    def key(self) -> str:
        """Its key in the object store."""
        return epoch_key(self.partition, self.number)


def epoch_prefix(partition: int) -> str:
    """Prefix of the keys of a partition's epochs."""
    return f"epochs/{partition:05d}/"


def epoch_key(partition: int, number: int) -> str:
    """Key of the partition's epoch of that number."""
    return f"{epoch_prefix(partition)}{number:08d}.json"


class PartitionsMissing(BellwetherError):
    """The log has fewer partitions than the object store has snapshots of."""


def refuse_fewer_partitions(objects: ObjectStore, partitions: int) -> None:
    """Refuse a log that lacks partitions which the object store has. Blocks.

    Otherwise every answer would silently leave out their events (I7). If the store cannot be
    reached, nothing is refused: every partition reads its own epochs later.
    Raises PartitionsMissing.
    """
    try:
        known = known_partitions(objects)
    except ObjectsUnavailable as error:
        log_event(logger, logging.WARNING, "partitions with snapshots are unknown", why=str(error))
        return
    if known > partitions:
        raise PartitionsMissing(
            f"the log has {partitions} partitions, but there are snapshots of {known}: give the "
            f"topic {known} partitions (or restore the log), or use another object store"
        )


def known_partitions(objects: ObjectStore) -> int:
    """How many partitions the object store has epochs of. Blocks. Raises ObjectsUnavailable."""
    numbers = (info.key.split("/")[1] for info in objects.list("epochs/"))
    return max((int(number) + 1 for number in numbers if number.isdigit()), default=0)


def split_stray(keys: Iterable[str], epochs: Sequence[Epoch]) -> tuple[list[str], list[str]]:
    """(manifests that count, stray manifests: of a closed epoch, after the end of that epoch)."""
    ends: dict[int, int] = {}
    for epoch in epochs[1:]:
        last = None if epoch.predecessor is None else parse_manifest_key(epoch.predecessor)
        for number in range(FIRST_EPOCH, epoch.number):
            limit = -1 if last is None or number > last[1] else None
            if last is not None and number == last[1]:
                limit = last[2]
            if limit is not None:
                ends[number] = min(limit, ends.get(number, limit))
    counting: list[str] = []
    stray: list[str] = []
    for key in keys:
        _, number, next_offset = parse_manifest_key(key)
        known = not epochs or number <= epochs[-1].number
        fits = known and (number not in ends or next_offset <= ends[number])
        (counting if fits else stray).append(key)
    return counting, stray


def earlier_ends(epochs: Sequence[Epoch], log: str) -> dict[str, int]:
    """By log id, the exclusive end of what was indexed of logs other than `log`."""
    ends: dict[str, int] = {}
    for epoch, following in pairwise(epochs):
        if epoch.log == log:
            continue
        end = epoch.first_offset
        if following.predecessor is not None:
            _, number, next_offset = parse_manifest_key(following.predecessor)
            end = next_offset if number == epoch.number else end
        ends[epoch.log] = max(end, ends.get(epoch.log, 0))
    return ends


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where a partition resumes: in its current epoch or in a new one.

    gap: offsets that are lost.
    reason: why a new epoch is opened; None: none is opened.
    """

    first_offset: int
    gap: Gap | None
    reason: str | None


async def names_last_record(log: Log, manifest: Manifest, bounds: Bounds) -> bool | None:
    """Whether the log's record before the manifest's next offset is the one that it names.

    None: not known, because the log no longer holds that record or holds it damaged.
    """
    last = manifest.next_offset - 1
    if bounds.end <= last:
        return False
    if last < bounds.start:
        return None
    try:
        records = await log.read(manifest.partition, last, 1, 0)
    except (OffsetGone, LogLost):
        return None
    if records and not records[0].headers:
        return None
    if not manifest.last_append_ns:  # it was damaged when the cut was made
        return None
    if not records or records[0].append_ns != manifest.last_append_ns:
        return False
    try:
        batch = decode(records[0]).batch.hex()
    except RecordError:
        batch = ""
    return batch == manifest.last_batch


async def decide_resumption(
    log: Log,
    log_id: str,
    bounds: Bounds,
    newest: Manifest | None,
    present: Epoch | None,
    older: Iterable[Manifest],
    seen: Collection[str] = (),
) -> Resumption:
    """The offset and the epoch in which indexing resumes.

    older: manifests before `newest`, newest first. They are read only if the log was set back or is
    one of `seen`.
    seen: ids of the logs that the partition has had. What was indexed of them is not indexed again.
    """
    if present is None:
        gap = Gap(log_id, 0, bounds.start, "the log did not begin at 0") if bounds.start else None
        return Resumption(bounds.start, gap, "first epoch")
    indexed = present.first_offset if newest is None else newest.next_offset
    in_present = newest is not None and newest.epoch_number == present.number
    resume_at = indexed if in_present else present.first_offset
    if present.log != log_id:
        lost = Gap(present.log, resume_at, None, "the log was replaced")
        known = [] if newest is None or log_id not in seen else chain([newest], older)
        first = await _last_common_offset(log, log_id, bounds, known)
        return Resumption(first, lost, f"the log is {log_id}, not {present.log}")
    if newest is not None and in_present:
        if await names_last_record(log, newest, bounds) is False:
            lost = Gap(present.log, newest.next_offset, None, SET_BACK)
            first = await _last_common_offset(log, log_id, bounds, older)
            return Resumption(first, lost, "the log's last indexed record is another one")
    elif bounds.end < resume_at:
        lost = Gap(present.log, resume_at, None, SET_BACK)
        return Resumption(bounds.start, lost, "the log ends before the epoch's first offset")
    if bounds.start > resume_at:
        gap = Gap(log_id, resume_at, bounds.start, "the log dropped records not yet indexed")
        return Resumption(bounds.start, gap, None)
    return Resumption(resume_at, None, None)


async def _last_common_offset(
    log: Log, log_id: str, bounds: Bounds, manifests: Iterable[Manifest]
) -> int:
    """The end of the newest cut whose last record is in the log; the log's start if none is."""
    for manifest in manifests:
        if manifest.epoch != log_id:
            continue
        if manifest.next_offset <= bounds.start:
            break
        if await names_last_record(log, manifest, bounds):
            return manifest.next_offset
    return bounds.start
