"""Servers report the time independently of this machine's clock; files have no clock (I13)."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from common import limits
from common.clock import Clock, ManualClock, SystemClock
from common.locks.files import FileLocks
from common.log import Log
from common.metadata import Metadata
from common.metadata.sqlite import SqliteMetadata
from common.model.clock_reading import ClockReading, HasClock, KnowsLeaderHosts
from common.objects import ObjectStore
from common.objects.directory import DirectoryObjects
from common.objects.s3.config import S3Config
from common.objects.s3.store import S3Objects
from common.process.role import Backends
from indexer.expiry.clocks import Clocks
from indexer.expiry.reference_clocks import ReferenceClocks, broker_readings
from snapshot.retention.cutoffs import DAY_NS
from tests.conformance import cluster

LEAP_NS = 70 * DAY_NS


def wrong_clock() -> ManualClock:
    """This machine's clock after it was set wrong; its monotonic time is right."""
    right = SystemClock()
    return ManualClock(right.now_ns() + LEAP_NS, right.monotonic_ns())


def assert_ahead(reading: ClockReading | None, ahead_ns: int, clock: Clock) -> None:
    """The reading has the server's clock this far ahead, and the server on this machine."""
    assert reading is not None
    assert abs(reading.ahead_ns(clock) - ahead_ns) < 60 * 10**9 + reading.error_ns
    assert reading.error_ns < limits.CLOCK_TIMEOUT_S * 10**9
    assert not reading.elsewhere


def test_server_of_the_objects_tells_the_time_and_a_folder_does_not(objects: ObjectStore) -> None:
    if not isinstance(objects, HasClock):
        assert isinstance(objects, DirectoryObjects)
        return
    clock = SystemClock()
    assert_ahead(objects.read_clock(clock), 0, clock)
    leapt = wrong_clock()
    assert_ahead(objects.read_clock(leapt), -LEAP_NS, leapt)


def test_server_that_refuses_what_a_wrong_clock_signed_still_tells_the_time(
    objects: ObjectStore,
) -> None:
    if not isinstance(objects, S3Objects):
        return  # a folder refuses nobody
    clock = SystemClock()
    config = replace(cluster.settings().section(S3Config), secret_key="wrong")
    assert_ahead(S3Objects(config, clock, random.Random(1)).read_clock(clock), 0, clock)


def test_server_of_the_metadata_tells_the_time_and_a_file_does_not(metadata: Metadata) -> None:
    if not isinstance(metadata, HasClock):
        assert isinstance(metadata, SqliteMetadata)
        return
    clock = SystemClock()
    assert_ahead(metadata.read_clock(clock), 0, clock)
    leapt = wrong_clock()
    assert_ahead(metadata.read_clock(leapt), -LEAP_NS, leapt)


async def test_brokers_tell_the_time_and_the_embedded_log_does_not(log: Log, log_kind: str) -> None:
    if not isinstance(log, KnowsLeaderHosts):
        assert log_kind == "embedded"
        return
    clock = SystemClock()
    found = await broker_readings(log, log, clock)
    assert found
    for reading in found:
        assert_ahead(reading, 0, clock)
    leapt = wrong_clock()
    for reading in await broker_readings(log, log, leapt):
        assert_ahead(reading, -LEAP_NS, leapt)


async def test_every_server_is_asked_and_a_leap_against_any_of_them_stops_expiry(
    log: Log, objects: ObjectStore, metadata: Metadata, tmp_path: Path
) -> None:
    locks = FileLocks(tmp_path / "locks")
    clock = ManualClock(SystemClock().now_ns(), SystemClock().monotonic_ns())
    backends = Backends(log, objects, metadata, locks)
    clocks = Clocks(clock, tmp_path / "clock.json")
    found = await ReferenceClocks(backends, clock, random.Random(1)).read()
    servers = [isinstance(b, HasClock) for b in (objects, metadata)]
    servers.append(isinstance(log, KnowsLeaderHosts))
    assert bool(found) == any(servers)
    clocks.add_readings(found)
    assert clocks.disagreeing() == {}
    assert not clocks.agreed  # they run on this machine: it may be the same clock
    clocks.add_readings([replace(one, elsewhere=True) for one in found])
    assert clocks.agreed == bool(found)
    clock.wall_ns += LEAP_NS
    assert clocks.disagreeing().keys() == {one.name for one in found}
    assert not clocks.agreed
    locks.close()


@pytest.mark.parametrize("lost", ["objects", "metadata"])
async def test_server_that_does_not_answer_is_no_witness_and_holds_nobody_up(
    tmp_path: Path, lost: str
) -> None:
    class Silent:
        """A server that cannot be reached."""

        def read_clock(self, clock: Clock) -> ClockReading | None:
            raise ConnectionRefusedError(lost)

    (tmp_path / "log").mkdir()
    locks = FileLocks(tmp_path / "locks")
    backends = Backends(
        log=None,  # type: ignore[arg-type]  # no clock of its own
        objects=Silent() if lost == "objects" else None,  # type: ignore[arg-type]  # only asked
        metadata=Silent() if lost == "metadata" else None,  # type: ignore[arg-type]  # only asked
        locks=locks,
    )
    assert await ReferenceClocks(backends, SystemClock(), random.Random(1)).read() == []
    locks.close()
