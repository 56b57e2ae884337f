"""`bellwether bootstrap`: what a rehearsal needs, and when a weekly one is due."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from bellwether.cli import cli
from bellwether.commands.operate import bootstrap
from bellwether.commands.operate.bootstrap_weekly import (
    WeeklyTime,
    is_due,
    parse_weekly,
    read_last,
    write_last,
)
from bellwether.config.settings import Settings, load
from common.errors import Conflict
from common.tasks import running
from indexer.upkeep.rehearsal.rehearse import SAME, RehearsalReport
from tests.bellwether.commands.test_segments import filled

UTC = ZoneInfo("UTC")
MONDAY = WeeklyTime(0, 15, 0)


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["bootstrap", "--data", str(folder), *arguments])


def test_it_says_what_is_to_be_said(tmp_path: Path) -> None:
    for wrong in ((), ("--plan", "--rehearse", "0"), ("--plan", "--weekly", "mon 15:00")):
        assert run(tmp_path, *wrong).exit_code == 2, wrong
    assert run(tmp_path, "--rehearse", "-1").exit_code == 2
    assert "is no data folder" in run(tmp_path / "nothing", "--rehearse", "0").stderr


def test_without_a_running_pair_it_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    asyncio.run(filled(tmp_path))
    (tmp_path / "secrets").mkdir(mode=0o700)
    before = sorted(path.name for path in tmp_path.iterdir())
    done = run(tmp_path, "--rehearse", "0")
    assert done.exit_code == 1
    assert "partition 0 has 0 indexers in different zones" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert "there is no partition 7" in run(tmp_path, "--rehearse", "7").stderr
    assert run(tmp_path, "--rehearse", "0", "--weekly", "someday").exit_code == 2


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("mon 15:00", MONDAY),
        ("Sunday 3:07", WeeklyTime(6, 3, 7)),
        ("fri 23:59", WeeklyTime(4, 23, 59)),
    ],
)
def test_times_of_the_week_are_read(text: str, at: WeeklyTime) -> None:
    assert parse_weekly(text) == at


@pytest.mark.parametrize("text", ["", "mon", "15:00", "mon 24:00", "mon 15:60", "xyz 15:00"])
def test_others_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 'mon 15:00'"):
        parse_weekly(text)


def test_each_week_has_one_also_across_changes_of_the_clock() -> None:
    """Looked at each half hour for a year of a zone with summer time."""
    zone = ZoneInfo("Europe/Berlin")
    at, last_s = WeeklyTime(6, 2, 30), datetime(2025, 1, 1, tzinfo=UTC).timestamp()
    begun = []
    for look in range(365 * 48):
        passed = look * timedelta(minutes=30)
        now = (datetime(2025, 1, 1, 0, 10, tzinfo=UTC) + passed).astimezone(zone)
        if is_due(at, last_s, now):
            begun.append(now)
            last_s = now.timestamp()
    assert len(begun) == 52
    assert {one.weekday() for one in begun} == {6}
    assert {one.hour for one in begun} <= {2, 3}


def test_one_that_was_missed_is_made_up_for_once(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "last.json"
    tuesday = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    begun_s = read_last(path, "0 15:00", tuesday.timestamp())
    assert not is_due(MONDAY, begun_s, tuesday)  # the schedule is new
    monday = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
    assert not is_due(MONDAY, begun_s, monday - timedelta(minutes=1))
    for later in (timedelta(0), timedelta(days=3)):
        assert is_due(MONDAY, read_last(path, "0 15:00", 0), monday + later)
    write_last(path, "0 15:00", monday.timestamp())
    assert not is_due(MONDAY, read_last(path, "0 15:00", 0), monday + timedelta(days=6))
    assert read_last(path, "2 15:00", 5.0) == 5.0  # another schedule begins anew


async def test_a_weekly_one_that_cannot_run_is_tried_again_and_runs_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried, looks = 0, 0
    looked_again = asyncio.Event()

    async def rehearse(settings: Settings, number: int) -> RehearsalReport:
        nonlocal tried
        tried += 1
        if tried == 1:
            raise Conflict("partition 3 has 1 indexers")
        return RehearsalReport(partition=number, verdict=SAME)

    def counted(path: Path, schedule: str, now_s: float) -> float:
        nonlocal looks
        looks += 1
        if looks > 4:
            looked_again.set()
        return read_last(path, schedule, now_s)

    monkeypatch.setattr(bootstrap, "rehearse", rehearse)
    monkeypatch.setattr(bootstrap, "read_last", counted)
    monkeypatch.setattr(bootstrap, "_AGAIN_S", 0.001)
    path = tmp_path / "rehearsals" / "00003.json"
    write_last(path, "0 15:00", 0.0)
    settings = load({("node", "data"): str(tmp_path)}, {}, tmp_path)
    async with running(bootstrap._rehearse_weekly(settings, 3, MONDAY, as_json=False)):
        async with asyncio.timeout(60):
            await looked_again.wait()
    assert tried == 2
    assert read_last(path, "0 15:00", 0.0) > 0
    shown = capsys.readouterr()
    assert "no rehearsal now, tried again" in shown.err
    assert "partition 3 has 1 indexers" in shown.err
    assert shown.out.count("partition 3: same") == 1
