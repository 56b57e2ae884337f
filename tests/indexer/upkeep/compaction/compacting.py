"""A partition with small cuts and its compactor, for compaction's tests."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from common.clock import ManualClock
from common.log import Log
from common.objects import ObjectInfo, ObjectStore
from common.process.role import RoleContext
from common.process.versions import DOCUMENTS_COMPACTIONS, DocumentGate, FixedGate
from indexer.expiry.clocks import Clocks
from indexer.partition.partition import Partition
from indexer.upkeep.compaction.compactor import Compactor
from query.share.view.view import DatasetView, ViewRequest
from segment.columns import ColumnKey, FieldType
from segment.columns.key import OFFSET
from segment.columns.segment_read import SegmentReader
from snapshot.compaction.choose import Sizes
from snapshot.verify.report import VerifyReport
from snapshot.verify.verify import verify
from tests.indexer.harness import DATASET, QUICK, append, published, running, until
from tests.indexer.partition.test_partition import CUT, views_of

SIZES = Sizes(fan_in=4)
GRACE_S = 3_600
CONFIG = replace(
    QUICK,
    housekeeping_s=0,
    heartbeat_ms=10**9,
    retention_grace_s=GRACE_S,
    compaction_percent=100,
)
OPEN = FixedGate(DOCUMENTS_COMPACTIONS)


def shown_in(view: DatasetView) -> list[int]:
    """The field `n` of every row that is shown, as often as it is."""
    assert not view.unserved, view.unserved
    key, found = ColumnKey("n", FieldType.INT), []
    for segment in view.segments:
        with SegmentReader(segment.path) as reader:
            offsets, column = reader.system(OFFSET).tolist(), reader.column(key)
        assert column is not None
        ranges = segment.visible or ((segment.first_offset, segment.end_offset),)
        if segment.visible == ():
            ranges = ()
        pairs = zip(offsets, column.values.to_pylist(), strict=True)
        found += [n for at, n in pairs if any(first <= at < end for first, end in ranges)]
    for block in view.blocks:
        found += block.columns[key].values.to_pylist()
    return sorted(found)


async def shown(partition: Partition, dataset: str = DATASET) -> list[int]:
    """As `shown_in`, of a lease."""
    async with views_of(partition).lease(partition.number, dataset, ViewRequest()) as view:
        return shown_in(view)


async def files_read(partition: Partition, dataset: str = DATASET) -> int:
    """The number of files that a question about the dataset reads."""
    async with views_of(partition).lease(partition.number, dataset, ViewRequest()) as view:
        return len(view.segments)


def compactor_of(partition: Partition, sizes: Sizes = SIZES) -> Compactor:
    return Compactor({partition.number: partition}, partition.shared, sizes)


async def cuts(partition: Partition, log: Log, *some: list[int]) -> None:
    """Append each list of numbers as a cut of its own, and wait until it is published."""
    for numbers in some:
        await append(log, numbers)
        position = (await log.append(0, CUT)).position
        await until(partition, published(position.offset + 1))


@asynccontextmanager
async def compacting(
    context: RoleContext, gate: DocumentGate = OPEN, clock: ManualClock | None = None
) -> AsyncIterator[Partition]:
    """A partition that may be compacted. clock: the context's, which the test moves on."""
    clocks = None
    if clock is not None:
        clocks = Clocks(clock, context.folder / "expiry" / "clock.json")
    async with running(context, config=CONFIG, document_gate=gate, clocks=clocks) as partition:
        await until(partition, lambda p: p.view is not None)
        yield partition


async def verified(context: RoleContext) -> VerifyReport:
    """What `bellwether verify` finds; an object that a crash has left is only listed."""
    report = await verify(context.backends.objects, context.backends.log, [0])
    assert report.clean, report.problems
    return report


class Killed(BaseException):
    """What a killed process does not do any more."""


@dataclass
class Dying:
    """An object store whose process is killed at its `at`-th call, before or after it is done."""

    objects: ObjectStore
    at: int = 0
    after: bool = False
    calls: int = 0

    def _counts(self) -> bool:
        self.calls += bool(self.at)
        return bool(self.at) and self.calls == self.at

    def _before(self) -> bool:
        """Count a write; whether the process is killed after it."""
        dies = self._counts()
        if dies and not self.after:
            raise Killed
        return dies

    def _reads(self) -> None:
        if self._counts():
            raise Killed

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        dies = self._before()
        done = self.objects.put_if_absent(key, data)
        if dies:
            raise Killed
        return done

    def replace(self, key: str, data: bytes | Path) -> None:
        dies = self._before()
        self.objects.replace(key, data)
        if dies:
            raise Killed

    def get(self, key: str) -> bytes:
        self._reads()
        return self.objects.get(key)

    def fetch(self, key: str, target: Path) -> int:
        self._reads()
        return self.objects.fetch(key, target)

    def fetch_range(self, key: str, offset: int, length: int, target: Path) -> None:
        self._reads()
        self.objects.fetch_range(key, offset, length, target)

    def head(self, key: str) -> ObjectInfo | None:
        self._reads()
        return self.objects.head(key)

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        self._reads()
        yield from self.objects.list(prefix, after)

    def delete(self, key: str) -> None:
        dies = self._before()
        self.objects.delete(key)
        if dies:
            raise Killed
