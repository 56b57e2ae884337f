"""An estimate of what a bootstrap on an empty disk will fetch and replay; changes nothing (I5).

Sizes of segments are exact. Events and bytes of the log are estimated from a sample of records
after the manifest's position, and times from rates that are measured on this machine.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from common.clock import Clock
from common.errors import DamagedObject, ObjectMissing
from common.log import Log
from common.model.record import LogRecord, RecordError, decode
from common.objects import ObjectInfo, ObjectStore
from snapshot.bootstrap.bootstrap import newest_first
from snapshot.cache import file_sha256
from snapshot.documents.chain import Chain
from snapshot.documents.epochs import decide_resumption
from snapshot.documents.locations import SegmentLocation
from snapshot.documents.manifest import Gap, SegmentEntry
from snapshot.objects_of import read_objects

SAMPLE_BYTES = 1024 * 1024  # of one partition's log
_SAMPLE_OBJECTS = 8  # the newest ones
_SAMPLE_BYTES = 64 * 1024 * 1024  # of segments in all these objects
Shred = Callable[[Sequence[LogRecord]], int]  # indexes the records, returns the number of events


@dataclass(frozen=True, slots=True)
class PartitionEstimate:
    """The estimate of one partition.

    manifest: key of the newest manifest; None if there is none.
    objects: those that hold the segments: a pack has many.
    requests: to the object store, those that read its documents and one for each object.
    first_offset, end_offset: records to replay; the end is exclusive.
    events, record_bytes: estimates for these records.
    epoch: the log's id.
    opens_epoch: why resuming opens a new epoch; None if it does not.
    lost: offsets known to be missing between the newest manifest and the log.
    """

    partition: int
    manifest: str | None
    manifests: int
    segments: int
    objects: int
    requests: int
    segment_bytes: int
    segment_rows: int
    first_offset: int
    end_offset: int
    events: int
    record_bytes: int
    epoch: str
    opens_epoch: str | None
    lost: Gap | None

    @property
    def records(self) -> int:
        """Records to replay."""
        return max(0, self.end_offset - self.first_offset)


@dataclass(frozen=True, slots=True)
class Rates:
    """Measured rates per second; None where there was nothing to measure."""

    segment_bytes_per_s: float | None
    events_per_s: float | None


@dataclass(frozen=True, slots=True)
class BootstrapEstimate:
    """The estimates of all partitions, and the rates from which times are computed."""

    partitions: tuple[PartitionEstimate, ...]
    rates: Rates

    @property
    def segment_bytes(self) -> int:
        """Bytes of segments to fetch."""
        return sum(one.segment_bytes for one in self.partitions)

    @property
    def events(self) -> int:
        """Events to replay, estimated."""
        return sum(one.events for one in self.partitions)

    def seconds(self, one: PartitionEstimate | None = None) -> tuple[float | None, float | None]:
        """Expected seconds of (fetching segments, replaying), of one partition alone or of all.

        Both phases run at the same time, so together they take about as long as the longer one.
        """
        size = self.segment_bytes if one is None else one.segment_bytes
        events = self.events if one is None else one.events
        return (
            _seconds(size, self.rates.segment_bytes_per_s),
            _seconds(events, self.rates.events_per_s),
        )


def _seconds(amount: int, per_s: float | None) -> float | None:
    if amount == 0:
        return 0.0
    return amount / per_s if per_s else None


class ReadOnlyStore:
    """A store without writes: repairs that reading would make are left to indexers."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self.requests = 0  # reads so far; a list is one, whatever its length

    def get(self, key: str) -> bytes:
        self.requests += 1
        return self._objects.get(key)

    def fetch(self, key: str, target: Path) -> int:
        self.requests += 1
        return self._objects.fetch(key, target)

    def fetch_range(self, key: str, offset: int, length: int, target: Path) -> None:
        self.requests += 1
        self._objects.fetch_range(key, offset, length, target)

    def head(self, key: str) -> ObjectInfo | None:
        self.requests += 1
        return self._objects.head(key)

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        self.requests += 1
        return self._objects.list(prefix, after)

    def put_if_absent(self, key: str, _data: bytes | Path) -> bool:
        return self._objects.head(key) is None

    def replace(self, _key: str, _data: bytes | Path) -> None:
        return

    def delete(self, _key: str) -> None:
        return


async def estimate_bootstrap(
    objects: ObjectStore,
    log: Log,
    partitions: Sequence[int],
    shred: Shred,
    clock: Clock,
    at_once: int,
) -> BootstrapEstimate:
    """Read every partition's history and measure rates.

    shred: indexes records as an indexer does; it is timed.
    at_once: number of segments that are fetched in parallel.
    Raises ObjectsUnavailable, LogUnavailable.
    """
    store = ReadOnlyStore(objects)
    log_id = (await log.open()).epoch
    plans: list[PartitionEstimate] = []
    entries: list[SegmentEntry] = []
    events, spent_ns = 0, 0
    for partition in partitions:
        plan, segments, sample = await _plan_partition(store, log, log_id, partition, clock)
        plans.append(plan)
        entries += segments
        if sample.records:
            began_ns = clock.monotonic_ns()
            events += await asyncio.to_thread(shred, sample.records)
            spent_ns += clock.monotonic_ns() - began_ns + sample.read_ns
    bytes_per_s = await asyncio.to_thread(_measure_fetch, store, entries, at_once, clock)
    rates = Rates(bytes_per_s, events / (spent_ns / 1e9) if events and spent_ns else None)
    return BootstrapEstimate(tuple(plans), rates)


@dataclass(frozen=True, slots=True)
class _Sample:
    records: list[LogRecord]
    events: int
    bytes: int
    read_ns: int


async def _plan_partition(
    store: ObjectStore, log: Log, log_id: str, partition: int, clock: Clock
) -> tuple[PartitionEstimate, list[SegmentEntry], _Sample]:
    store = ReadOnlyStore(store)  # counts this partition's requests
    chain = Chain(store, partition, None)
    bounds = await log.bounds(partition)
    history, objects = await asyncio.to_thread(read_objects, chain, bounds.start)
    served = [one.entry for one in objects.served()]
    current = history.epochs[-1] if history.epochs else None
    older = newest_first(chain, history)
    if history.newest is not None:
        next(older)
    seen = frozenset(epoch.log for epoch in history.epochs)
    resumption = await decide_resumption(log, log_id, bounds, history.newest, current, older, seen)
    sample = await _sample(log, partition, resumption.first_offset, bounds.end, clock)
    records = max(0, bounds.end - resumption.first_offset)
    scale = records / len(sample.records) if sample.records else 0.0
    held = {entry.location.key for entry in served}
    plan = PartitionEstimate(
        partition=partition,
        manifest=None if history.newest is None else history.newest.key,
        manifests=len(history.keys),
        segments=len(served),
        objects=len(held),
        requests=store.requests + len(held),
        segment_bytes=sum(entry.size_bytes for entry in served),
        segment_rows=sum(entry.rows for entry in served),
        first_offset=resumption.first_offset,
        end_offset=max(bounds.end, resumption.first_offset),
        events=round(sample.events * scale),
        record_bytes=round(sample.bytes * scale),
        epoch=log_id,
        opens_epoch=resumption.reason,
        lost=resumption.gap,
    )
    return plan, served, sample


async def _sample(log: Log, partition: int, first: int, end: int, clock: Clock) -> _Sample:
    if first >= end:
        return _Sample([], 0, 0, 0)
    began_ns = clock.monotonic_ns()
    records = [r for r in await log.read(partition, first, SAMPLE_BYTES, 0) if r.offset < end]
    read_ns = clock.monotonic_ns() - began_ns
    events = 0
    for message in records:
        try:
            record = decode(message)
        except RecordError:
            continue  # an indexer quarantines it
        events += record.n if record.has_events else 0
    return _Sample(records, events, sum(len(message.value) for message in records), read_ns)


def _measure_fetch(
    store: ObjectStore, entries: Sequence[SegmentEntry], at_once: int, clock: Clock
) -> float | None:
    """Bytes per second of fetching and checking some of the newest segments, as a bootstrap does.

    None if there is nothing to fetch.
    """
    chosen: dict[str, SegmentLocation] = {}  # by the object that holds them
    size = 0
    for entry in sorted(entries, key=lambda e: -e.append_max_ns):
        if len(chosen) == max(_SAMPLE_OBJECTS, at_once) or size > _SAMPLE_BYTES:
            break
        chosen.setdefault(entry.location.key, entry.location)
        size += entry.size_bytes
    if not chosen:
        return None
    with (
        tempfile.TemporaryDirectory(prefix="bellwether-plan-") as scratch,
        ThreadPoolExecutor(at_once) as threads,
    ):

        def fetch(location: SegmentLocation) -> int:
            target = Path(scratch) / location.object_name
            try:
                fetched = store.fetch(location.key, target)
            except (ObjectMissing, DamagedObject):
                return 0
            file_sha256(target)
            return fetched

        began_ns = clock.monotonic_ns()
        fetched = sum(threads.map(fetch, chosen.values()))
        spent_ns = clock.monotonic_ns() - began_ns
    return fetched / (spent_ns / 1e9) if fetched and spent_ns else None
