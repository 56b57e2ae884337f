"""Roles on other machines are asked for the time; those of this machine are not (I13)."""

import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web

from common import limits
from common.clock import ManualClock, SystemClock
from common.locks.files import FileLocks
from common.model.clock_reading import is_elsewhere
from common.process.members import Member, encode_member
from common.process.role import Backends
from indexer.expiry.clocks import Clocks
from indexer.expiry.reference_clocks import ReferenceClocks
from snapshot.retention.cutoffs import DAY_NS


@pytest.fixture
async def locks(tmp_path: Path) -> AsyncIterator[FileLocks]:
    """Two announced roles: one that answers, one that is gone."""
    app = web.Application()

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    app.router.add_get("/healthz", alive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    found = FileLocks(tmp_path / "locks")
    for name, url in (("a", f"http://127.0.0.1:{port}"), ("b", "http://127.0.0.2:1")):
        member = Member("indexer", name, url, "z", 1, 1, "1")
        found.acquire(f"roles/indexer/{name}", encode_member(member))
    yield found
    found.close()
    await runner.cleanup()


def reference_clocks(
    locks: FileLocks, clock: ManualClock, is_elsewhere: Callable[[str], bool] = is_elsewhere
) -> ReferenceClocks:
    none: object = None
    backends = Backends(none, none, none, locks)  # type: ignore[arg-type]  # no clocks
    return ReferenceClocks(backends, clock, random.Random(1), is_elsewhere)


async def test_role_on_another_machine_proves_the_time_and_shows_a_leap(
    locks: FileLocks, tmp_path: Path
) -> None:
    clock = ManualClock(SystemClock().now_ns(), SystemClock().monotonic_ns())
    clocks = Clocks(clock, tmp_path / "clock.json")
    found = await reference_clocks(locks, clock, lambda host: host.startswith("127.0.0.")).read()
    assert [one.name for one in found] == ["machine 127.0.0.1"]
    assert abs(found[0].ahead_ns(clock)) < limits.CLOCK_SKEW_NS
    clocks.add_readings(found)
    assert clocks.agreed
    clock.wall_ns -= 10 * DAY_NS
    assert not clocks.agreed
    assert set(clocks.disagreeing()) == {"machine 127.0.0.1"}


async def test_roles_of_this_machine_are_no_witnesses(locks: FileLocks) -> None:
    assert await reference_clocks(locks, ManualClock()).read() == []
