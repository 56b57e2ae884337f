"""Fixtures: each suite runs once for every implementation that is listed."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from common.locks import Locks
from common.log import Log
from common.metadata import Metadata
from common.objects import ObjectStore
from tests.conformance import cluster, kafka
from tests.conformance import implementations as known


@pytest.fixture(params=sorted(known.LOGS))
def log_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    server = known.LOGS[request.param].server
    if server:
        monkeypatch.setenv(kafka.SERVERS, request.getfixturevalue(server).servers)
    return str(request.param)


@pytest.fixture
async def log(log_kind: str, tmp_path: Path) -> AsyncIterator[Log]:
    """A fresh log, open. Its place is `tmp_path`."""
    log = known.LOGS[log_kind].make(tmp_path, known.PARTITIONS)
    await log.open()
    yield log
    await log.close()


@pytest.fixture
async def small_log(log_kind: str, tmp_path: Path) -> AsyncIterator[Log]:
    """A fresh log of small retention steps and a small buffer, open."""
    log = known.LOGS[log_kind].make_small(tmp_path, known.PARTITIONS)
    await log.open()
    yield log
    await log.close()


@pytest.fixture(params=sorted(known.OBJECTS))
def objects_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    return _with_server(request, monkeypatch)


@pytest.fixture
def objects(objects_kind: str, tmp_path: Path) -> ObjectStore:
    return known.OBJECTS[objects_kind](tmp_path / "store")


@pytest.fixture(params=sorted(known.METADATA))
def metadata_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    return _with_server(request, monkeypatch)


@pytest.fixture
def metadata(metadata_kind: str, tmp_path: Path) -> Iterator[Metadata]:
    metadata = known.METADATA[metadata_kind](tmp_path)
    metadata.open()
    yield metadata
    metadata.close()


@pytest.fixture(params=sorted(known.LOCKS))
def locks_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    return _with_server(request, monkeypatch)


@pytest.fixture
def locks(locks_kind: str, tmp_path: Path) -> Iterator[Locks]:
    locks = known.LOCKS[locks_kind](tmp_path)
    yield locks
    locks.close()


def _with_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The implementation's name; if it needs a server, that runs and this process and its workers
    know its settings.
    """
    kind = str(request.param)
    if kind in known.SERVERS:
        request.getfixturevalue(known.SERVERS[kind])
        found = request.getfixturevalue("servers").environment()
        monkeypatch.setenv(cluster.VARIABLE, json.dumps(found))
    return kind
