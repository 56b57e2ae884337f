"""Compaction in a real S3 server: killed, by both twins, and with a store that fails (I2, I4)."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from common.objects import ObjectStore
from compose.cluster.cluster import Cluster
from compose.servers.s3 import S3
from tests.conformance import cluster
from tests.indexer.upkeep.compaction.test_compactor import twins_compact
from tests.indexer.upkeep.compaction.test_killed import fail_and_compact, kill_at_every_step

BucketOf = Callable[[Path], ObjectStore]


@pytest.fixture
def bucket_of(servers: Cluster, s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> BucketOf:
    """The bucket of a folder, made when it is first asked for."""
    monkeypatch.setenv(cluster.VARIABLE, json.dumps(servers.environment()))
    made: dict[Path, ObjectStore] = {}

    def find(folder: Path) -> ObjectStore:
        if folder not in made:
            made[folder] = cluster.s3_objects(folder / "bucket")
        return made[folder]

    return find


@pytest.mark.slow
async def test_killed_at_every_step_in_s3(tmp_path: Path, bucket_of: BucketOf) -> None:
    await kill_at_every_step(tmp_path, True, lambda folder, _: bucket_of(folder))


async def test_twins_in_s3_agree(tmp_path: Path, bucket_of: BucketOf) -> None:
    await twins_compact(tmp_path, lambda _: bucket_of(tmp_path))


async def test_an_s3_that_fails_delays_compaction_and_no_more(
    tmp_path: Path, bucket_of: BucketOf
) -> None:
    await fail_and_compact(tmp_path, lambda _: bucket_of(tmp_path))
