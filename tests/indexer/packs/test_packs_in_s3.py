"""Packs in a real S3 server: put once, read as ranges, repaired (I4)."""

import json
from pathlib import Path

import pytest

from common.objects import ObjectStore
from compose.cluster.cluster import Cluster
from compose.servers.s3 import S3
from snapshot.cache import SegmentCache
from snapshot.verify.verify import verify
from tests.conformance import cluster
from tests.indexer.harness import open_context, published, repair_of, running, until
from tests.indexer.packs.packed import (
    PACKING,
    append_all,
    entries_of,
    expected,
    numbers_in,
    numbers_of,
)


@pytest.fixture
def objects(
    servers: Cluster, s3_server: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ObjectStore:
    monkeypatch.setenv(cluster.VARIABLE, json.dumps(servers.environment()))
    return cluster.s3_objects(tmp_path / "bucket")


async def test_a_pack_is_put_once_read_in_parts_and_mended(
    tmp_path: Path, objects: ObjectStore
) -> None:
    async with (
        open_context(tmp_path, wrap=lambda _: objects) as context,
        running(context, document_gate=PACKING) as partition,
    ):
        await append_all(context.backends.log, 0)
        end = await append_all(context.backends.log, 10)
        await until(partition, published(end))
        entries = entries_of(partition)
        assert len(list(objects.list("packs/"))) == 2
        assert list(objects.list("segments/")) == []
        other = SegmentCache(objects, tmp_path / "other", 10**6)
        assert numbers_in(other.ensure(entries[5].location)) == [11]
        assert other.bytes_held == entries[5].size_bytes
        whole = objects.get(entries[0].location.key)
        damaged = bytearray(whole)
        damaged[entries[1].pack_offset + 30] ^= 1
        objects.replace(entries[0].location.key, bytes(damaged))
        assert await repair_of(partition).repair(0, entries[1]) == "log"
        assert objects.get(entries[0].location.key) == whole
        report = await verify(objects, context.backends.log, [0])
        assert report.clean, report.problems
        assert numbers_of(partition) == expected(0, 10)
