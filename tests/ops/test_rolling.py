"""A rolling restart stops when health gets worse, and is resumed where it stopped.

The processes are scripted here; real ones are restarted in tests/system/test_rolling.py.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from common.clock import SystemClock
from common.errors import Unavailable
from common.locks.files import FileLocks
from common.process.members import ROLLING_RESTART, Member, find_rolling_restart
from ops.rolling.fleet import Fleet, StopFailed
from ops.rolling.health import Allowed, ProcessMetrics
from ops.rolling.plan import FleetView, unit_of
from ops.rolling.restart import AlreadyRunning, Options, Rolling, Stopped
from tests.ops.test_rolling_plan import fleet, holders, member

ALLOWED = Allowed(error_percent=1, ack_p99_ms=5_000, ack_times=4, lag_records=100)


class ScriptedFleet:
    """A fleet whose processes restart at once, with faults that a test chooses."""

    def __init__(self, locks: FileLocks) -> None:
        self.locks = locks
        self.members = fleet("ab", 1)
        self.runs = 1
        self.stopped: list[str] = []
        self.steps: list[str] = []
        self.failing: set[str] = set()  # places after whose restart requests fail
        self.gone: set[str] = set()  # places that do not come back
        self._metrics = ProcessMetrics()

    async def read_view(self) -> FleetView:
        return FleetView(tuple(self.members), {}, holders(self.members))

    async def read_metrics(self, view: FleetView) -> dict[str, ProcessMetrics]:
        metrics = self._metrics
        bad = bool(self.stopped) and self.stopped[-1] in self.failing
        self._metrics = replace(
            metrics, requests=metrics.requests + 100, failed=metrics.failed + 50 * bad
        )
        return {"one": self._metrics}

    async def stop(self, stopping: Member) -> None:
        place = str(unit_of(stopping))
        mark = find_rolling_restart(self.locks)
        assert mark is not None
        assert mark.zone == stopping.zone
        self.steps.append(mark.step)
        self.stopped.append(place)
        self.members.remove(stopping)
        if place not in self.gone:
            self.runs += 1
            new = member(stopping.role, stopping.zone, stopping.slot, run=self.runs)
            self.members.append(new)


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[ScriptedFleet]:
    locks = FileLocks(tmp_path / "locks")
    yield ScriptedFleet(locks)
    locks.close()


def rolling(scripted: ScriptedFleet, folder: Path, **more: object) -> tuple[Rolling, list[str]]:
    reported: list[str] = []
    options = Options(
        by="a test", state=folder / "state.json", allowed=ALLOWED, watch_s=0, ready_within_s=0.1
    )
    options = replace(options, safe_within_s=0.1, **more)  # type: ignore[arg-type]  # by name
    return Rolling(scripted, scripted.locks, SystemClock(), options, reported.append), reported  # type: ignore[arg-type]  # scripted


ALL = ["indexer a/0", "indexer b/0", "query a/0", "query b/0", "shepherd a/0", "shepherd b/0"]


async def test_everything_is_restarted_once_in_order(
    scripted: ScriptedFleet, tmp_path: Path
) -> None:
    work, reported = rolling(scripted, tmp_path)
    await work.run()
    assert scripted.stopped == ALL
    assert scripted.steps[-1] == "6 of 6, shepherd b/0"
    assert not (tmp_path / "state.json").exists()
    assert find_rolling_restart(scripted.locks) is None
    assert sum("ready again" in line for line in reported) == 6


async def test_it_stops_when_requests_fail_and_goes_on_where_it_stopped(
    scripted: ScriptedFleet, tmp_path: Path
) -> None:
    scripted.failing = {"indexer b/0"}
    with pytest.raises(Stopped, match=r"after indexer b/0: 50.00 % of requests fail"):
        await rolling(scripted, tmp_path)[0].run()
    assert scripted.stopped == ALL[:2]
    with pytest.raises(Stopped, match="not well to begin with"):
        await rolling(scripted, tmp_path)[0].run()
    scripted.failing = set()
    work, reported = rolling(scripted, tmp_path)
    assert (await work.dry_run())[0].endswith("(done)")
    await work.run()
    assert scripted.stopped == ALL
    assert sum("restarted already" in line for line in reported) == 2


async def test_it_stops_when_a_process_does_not_come_back(
    scripted: ScriptedFleet, tmp_path: Path
) -> None:
    scripted.gone = {"query a/0"}
    with pytest.raises(Stopped, match="query a/0 did not come back"):
        await rolling(scripted, tmp_path)[0].run()
    with pytest.raises(Stopped, match="query a/0 did not come back"):
        await rolling(scripted, tmp_path)[0].run()
    scripted.members.append(member("query", "a", run=99))
    scripted.gone = set()
    await rolling(scripted, tmp_path)[0].run()
    assert sorted(scripted.stopped) == ALL  # none of them twice


async def test_second_operator_is_kept_out(scripted: ScriptedFleet, tmp_path: Path) -> None:
    other = FileLocks(tmp_path / "locks")
    assert other.acquire(ROLLING_RESTART, b'{"by":"somebody else","since_ns":1}')
    with pytest.raises(AlreadyRunning, match="somebody else runs one"):
        await rolling(scripted, tmp_path)[0].run()
    assert scripted.stopped == []
    other.close()


async def test_operator_who_is_kept_out_does_not_make_the_first_one_begin_anew(
    scripted: ScriptedFleet, tmp_path: Path
) -> None:
    """`--fresh` of the second one, in the same folder: the file is the running restart's."""
    scripted.gone = {"query a/0"}
    with pytest.raises(Stopped):
        await rolling(scripted, tmp_path)[0].run()
    stands = (tmp_path / "state.json").read_bytes()
    other = FileLocks(tmp_path / "locks")
    assert other.acquire(ROLLING_RESTART, b'{"by":"the first one","since_ns":1}')
    with pytest.raises(AlreadyRunning):
        await rolling(scripted, tmp_path, fresh=True)[0].run()
    assert (tmp_path / "state.json").read_bytes() == stands
    other.close()
    assert "(done)" in (await rolling(scripted, tmp_path)[0].dry_run())[0]
    assert "(done)" not in (await rolling(scripted, tmp_path, fresh=True)[0].dry_run())[0]


async def test_it_stops_when_the_locks_do_not_answer_and_goes_on_when_they_do(
    scripted: ScriptedFleet, tmp_path: Path
) -> None:
    read_view, reads = scripted.read_view, 0

    async def read_view_sometimes() -> FleetView:
        nonlocal reads
        reads += 1
        if reads == 6:
            raise Unavailable("nobody is there")
        return await read_view()

    scripted.read_view = read_view_sometimes  # type: ignore[method-assign]  # scripted
    with pytest.raises(Stopped, match="the locks do not answer: nobody is there"):
        await rolling(scripted, tmp_path)[0].run()
    assert 0 < len(scripted.stopped) < len(ALL)
    await rolling(scripted, tmp_path)[0].run()
    assert scripted.stopped == ALL


async def test_only_one_of_a_role_is_restarted_only_if_asked_for(
    scripted: ScriptedFleet, tmp_path: Path
) -> None:
    scripted.members = fleet("a", 2)
    with pytest.raises(Stopped, match="only one query"):
        await rolling(scripted, tmp_path)[0].run()
    await rolling(scripted, tmp_path, alone=True)[0].run()
    assert len(scripted.stopped) == 4


async def test_what_must_move_before_somebody_is_ready_may_move_between_the_steps(
    scripted: ScriptedFleet, tmp_path: Path
) -> None:
    """An indexer that restarted while others had its partitions is ready when it has them again."""
    read_view, unfrozen_reads = scripted.read_view, 0

    async def read_view_with_moves() -> FleetView:
        nonlocal unfrozen_reads
        mark = find_rolling_restart(scripted.locks)
        unfrozen_reads += mark is None or not mark.zone
        view = await read_view()
        if unfrozen_reads < 5:
            [late] = [m.instance for m in view.members if str(unit_of(m)) == "indexer b/0"]
            return replace(view, not_ready={late: "partition 2 is not claimed"})
        return view

    scripted.read_view = read_view_with_moves  # type: ignore[method-assign]  # scripted
    work, _ = rolling(scripted, tmp_path)
    work._options = replace(work._options, safe_within_s=30)
    await work.run()
    assert scripted.stopped == ALL


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("false {role}", "ended with code 1"),
        ("/nowhere/to/be/found", "cannot be run"),
        ("true {unknown}", "cannot be run"),
    ],
)
async def test_command_that_fails_stops_the_restart(tmp_path: Path, command: str, why: str) -> None:
    live = Fleet(FileLocks(tmp_path), None, "token", command)  # type: ignore[arg-type]  # unused
    with pytest.raises(StopFailed, match=why):
        await live.stop(member("query", "a"))


async def test_command_names_the_process_and_needs_no_shell(tmp_path: Path) -> None:
    script = "import sys; open(sys.argv[1], 'w').write(' '.join(sys.argv[2:]))"
    command = f"python3 -c \"{script}\" {tmp_path}/out {{role}} {{zone}} {{slot}} {{host}} ';rm'"
    await Fleet(FileLocks(tmp_path / "l"), None, "t", command).stop(member("query", "a"))  # type: ignore[arg-type]  # unused
    assert (tmp_path / "out").read_text() == "query a 0 query-a-0-1 ;rm"
