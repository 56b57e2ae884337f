"""Results are shared through a folder and through a real S3 server."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from common.clock import SystemClock
from common.errors import ObjectsUnavailable
from common.objects import ObjectInfo, ObjectStore
from common.objects.directory import DirectoryObjects
from common.objects.s3.config import S3Config
from common.objects.s3.store import S3Objects
from compose.cluster.cluster import Cluster
from tests.conformance import cluster
from tests.conformance.implementations import OBJECTS

Stores = Callable[[], ObjectStore]


class FolderThatIsDown(DirectoryObjects):
    """An object store that cannot be used."""

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        raise ObjectsUnavailable("the store is down")

    def head(self, key: str) -> ObjectInfo | None:
        raise ObjectsUnavailable("the store is down")

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        raise ObjectsUnavailable("the store is down")


@pytest.fixture(params=sorted(OBJECTS))
def store_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "s3":
        request.getfixturevalue("s3_server")
        servers: Cluster = request.getfixturevalue("servers")
        monkeypatch.setenv(cluster.VARIABLE, json.dumps(servers.environment()))
    return str(request.param)


@pytest.fixture
def stores(store_kind: str, tmp_path: Path) -> Stores:
    """Makes clients of the test's own store: each role has one of its own."""
    return lambda: OBJECTS[store_kind](tmp_path / "objects")


@pytest.fixture
def store_that_is_down(store_kind: str, tmp_path: Path) -> ObjectStore:
    if store_kind == "directory":
        return FolderThatIsDown(tmp_path / "objects-down")
    config = cluster.settings().section(S3Config)
    away = replace(config, endpoint="http://127.0.0.1:9", prefix="down", budget_ms=500)
    return S3Objects(away, SystemClock(), random.Random())
