"""Two indexers' contents agree exactly when their rows do, wherever each holds them (I3)."""

from pathlib import Path

import msgspec
import pytest

from common.errors import BadRequest
from common.model.record import Record, gone_record
from common.model.record_value import encode_event_line, events_record
from indexer.partition.partition import Partition
from indexer.upkeep.rehearsal import content
from indexer.upkeep.rehearsal.content import (
    ContentRequest,
    PartitionContent,
    content_of,
    differences,
)
from tests.indexer.harness import (
    DATASET,
    TIME_NS,
    append,
    open_context,
    published,
    reached,
    record,
    running,
    until,
)
from tests.indexer.partition.test_partition import CUT


def content_at(partition: Partition, first: int, end: int) -> PartitionContent:
    view = partition.view
    assert view is not None
    request = ContentRequest(
        partition=0, log=view.epoch.log, epoch_number=view.epoch.number, first=first, end=end,
        wait_ms=0,
    )  # fmt: skip
    return content_of(view, request, partition.retention.book.number, partition.shared.cache)


async def test_rows_that_one_has_sealed_and_the_other_not_agree(tmp_path: Path) -> None:
    async with open_context(tmp_path, "a") as a, open_context(tmp_path, "b") as b:
        log = a.backends.log
        await append(log, [1, 2], [3])
        await log.append(0, CUT)
        await append(log, [4], [5, 6])
        async with running(a) as one:
            await until(one, published(3))
            await until(one, reached(5))
            live = content_at(one, 3, 5)
            assert [counted.rows for counted in live.recent.values()] == [3]
            await log.append(0, CUT)
            await append(log, [7])
            await until(one, published(6))
            async with running(b) as two:
                await until(two, reached(7))
                sealed = content_at(two, 3, 5)
                assert [*differences(live, sealed)] == []
                assert [*differences(content_at(one, 3, 5), sealed)] == []
                assert [*differences(content_at(one, 0, 5), content_at(two, 0, 5))] == []
                (text,) = differences(sealed, content_at(two, 3, 4))
                assert "3 rows" in text
                assert "not 1 rows" in text


async def test_one_other_value_is_a_difference(tmp_path: Path) -> None:
    async with open_context(tmp_path / "one") as a, open_context(tmp_path / "two") as b:
        await append(a.backends.log, [1, 2])
        await b.backends.log.append(0, record([1, 3], batch=1))
        async with running(a) as one, running(b) as two:
            await until(one, reached(1))
            await until(two, reached(1))
            found = [*differences(content_at(one, 0, 1), content_at(two, 0, 1))]
    assert [text.partition(":")[0] for text in found] == [
        f"rows that no manifest covered of dataset {DATASET} late"
    ]


def mixed(now_ns: int) -> Record:
    """Two events of now, and between them one of 2023."""
    times = (now_ns, TIME_NS, now_ns + 1)
    lines = [encode_event_line(at, 1, b'{"n":%d}' % n) for n, at in enumerate(times)]
    return events_record(
        team="t", env="e", dataset=DATASET, batch=bytes(16), depth=0, via="test", lines=lines
    )


async def test_late_rows_are_compared_apart(tmp_path: Path) -> None:
    """A cut has them in a segment of their own; live rows have them among the others."""
    async with open_context(tmp_path) as context, running(context) as partition:
        await context.backends.log.append(0, mixed(context.clock.now_ns()))
        await until(partition, reached(1))
        live = content_at(partition, 0, 1)
        rows = {name: counted.rows for name, counted in live.recent.items()}
        assert rows == {DATASET: 2, f"{DATASET} late": 1}
        await context.backends.log.append(0, CUT)
        await until(partition, published(2))
        assert [*differences(content_at(partition, 0, 1), live)] == []


async def test_a_dataset_that_was_deleted_meanwhile_is_left_out(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        log = context.backends.log
        await append(log, [1, 2])
        await log.append(0, record([3], dataset="other"))
        await until(partition, reached(2))
        before = content_at(partition, 0, 2)
        await log.append(0, gone_record("t", "e", DATASET))
        await until(partition, reached(3))
        after = content_at(partition, 0, 2)
    assert after.deleted == {DATASET: (1, 2)}
    assert [*differences(before, after)] == []
    assert len([*differences(before, replaced(after))]) == 1


def replaced(found: PartitionContent) -> PartitionContent:
    """The same with other rows of the dataset that is still there."""
    (name,) = found.recent
    return msgspec.structs.replace(found, recent={name: content.Counted(1, "2:00")})


async def test_too_many_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content.limits, "REHEARSED_ROWS_MAX", 2)
    async with open_context(tmp_path) as context, running(context) as partition:
        await append(context.backends.log, [1, 2, 3])
        await until(partition, reached(1))
        with pytest.raises(BadRequest, match="too many to compare"):
            content_at(partition, 0, 1)
