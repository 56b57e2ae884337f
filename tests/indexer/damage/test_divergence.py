"""A twin that says something else is found, and never overwrites what was published (I3)."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from common.metrics import divergence_total
from common.model.record import Marker, marker_record
from indexer.seal.partition_reader import last_manifest
from indexer.shred import Accepted, Shredded, ShredInput
from indexer.shred.reference import ReferenceShredder
from snapshot.damage.divergence import list_divergences
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import decode_checksummed
from snapshot.documents.locations import segment_key
from snapshot.documents.manifest import Manifest, decode_manifest
from snapshot.verify.verify import verify
from tests.indexer.harness import (
    DATASET,
    QUICK,
    append,
    open_context,
    published,
    reached,
    running,
    until,
)
from tests.indexer.partition.test_partition import numbers

CUT = marker_record(Marker(hour=None, reason="test"))


class Flipping:
    """The reference shredder, but one value of the record at one offset comes out wrong."""

    name = "flipping"

    def __init__(self, offset: int) -> None:
        self._true = ReferenceShredder()
        self._offset = offset

    def shred(self, records: Sequence[ShredInput]) -> Shredded:
        return self._flipped(self._true.shred(records))

    def shred_values(self, records: Sequence[Accepted]) -> Shredded:
        return self._flipped(self._true.shred_values(records))

    def _flipped(self, shredded: Shredded) -> Shredded:
        block = shredded.block
        wrong = [row for row in range(block.rows) if block.offset[row] == self._offset]
        if not wrong:
            return shredded
        ((key, column),) = block.columns.items()
        values = column.values.to_pylist()
        values[wrong[0]] += 1_000
        flipped = msgspec.structs.replace(column, values=pa.array(values, key.type.arrow))
        return Shredded((replace(block, columns={key: flipped}),), shredded.quarantined)


@pytest.mark.parametrize("liar_is_first", [False, True])
async def test_planted_divergence_is_found_with_its_block_and_never_published_over_the_other(
    tmp_path: Path, liar_is_first: bool
) -> None:
    before = divergence_total.labels("0")._value.get()
    liar = Flipping(offset=2)
    slow = replace(QUICK, publish_delay_ms=3_000)
    async with open_context(tmp_path, "a") as a, open_context(tmp_path, "b") as b:
        b = replace(b, random=random.Random(3))
        async with (
            running(a, shredder=liar if liar_is_first else None) as one,
            running(b, config=slow, shredder=None if liar_is_first else liar) as other,
        ):
            await append(a.backends.log, [1], [2], [3], [4])
            await until(other, reached(4))
            await a.backends.log.append(0, CUT)
            await until(one, published(5))
            first = last_manifest(one)
            await until(other, published(5))
            assert last_manifest(other) == first
            (found,) = other.divergences
            assert one.divergences == []
            wanted = [1, 2, 3 + 1_000, 4] if liar_is_first else [1, 2, 3, 4]
            assert await numbers(one) == await numbers(other) == sorted(wanted)
        assert first is not None
        assert (found.published, found.zone, found.published_zone) == (first.key, "b", "a")
        assert found.block is not None
        assert (found.block.dataset, found.block.column) == (DATASET, "f:n:i")
        assert (found.block.row, found.block.first_row, found.block.end_row) == (2, 0, 4)
        assert (found.block.first_offset, found.block.last_offset) == (0, 3)
        assert divergence_total.labels("0")._value.get() == before + 1
        objects = a.backends.objects
        assert decode_manifest(objects.get(first.key), first.key) == first
        ours = decode_checksummed(objects.get(found.ours), Manifest, found.ours)
        assert all(objects.head(segment_key(s.object)) for s in ours.segments)
        report = await verify(objects, a.backends.log, [0])
        (problem,) = report.problems
        assert not report.clean
        assert "f:n:i" in problem.what
        assert "zones a and b disagree" in problem.what
        async with running(b) as again:  # it is still known after a restart
            await until(again, reached(5))
            assert again.divergences == [found]
            assert list_divergences(Chain(objects, 0, None)) == [found]
