"""`bellwether retention`: shows why something waits, lets it go only as shown, takes it back."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bellwether.cli import cli
from common.clock import SystemClock
from snapshot.retention.cutoffs import DAY_NS
from tests.indexer.expiry import test_leaps as leaps
from tests.indexer.harness import DATASET
from tests.indexer.partition.test_partition import numbers

Made = Callable[[Path], Coroutine[Any, Any, None]]


def run(folder: Path, *arguments: str, given: str | None = None) -> Result:
    """The command over the data in `folder`; --data also works before the subcommand."""
    return CliRunner().invoke(cli, ["retention", "--data", str(folder), *arguments], input=given)


async def filled(folder: Path) -> None:
    async with leaps.harness(folder) as (partition, maintenance, _):
        await leaps.fill(partition)
        await maintenance.run_round()


async def rows(folder: Path) -> list[int]:
    """What an indexer with the right clock serves, an hour later."""
    async with leaps.harness(folder) as (partition, maintenance, clock):
        await leaps.rounds(maintenance, clock, 60, 20)
        return await numbers(partition)


@pytest.fixture
def tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's machine runs 70 days ahead."""
    right = SystemClock.now_ns
    monkeypatch.setattr(SystemClock, "now_ns", lambda self: right(self) + 70 * DAY_NS)


def test_nothing_to_do_is_said_with_code_0(tmp_path: Path) -> None:
    asyncio.run(filled(tmp_path))
    done = run(tmp_path)
    assert done.exit_code == 0, done.output
    assert "nothing is older than its retention" in done.output
    assert run(tmp_path, "restore", "--yes").output.strip() == "there is nothing to take back"
    assert run(tmp_path, "confirm", "--yes").exit_code == 0
    assert not list((tmp_path / "objects").glob("retention*"))


def test_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path / "nothing")
    assert done.exit_code == 1
    assert "is no data folder" in done.output
    assert not (tmp_path / "nothing").exists()


@pytest.mark.usefixtures("tomorrow")
def test_what_waits_is_shown_and_a_no_changes_nothing(tmp_path: Path) -> None:
    monkeypatched = SystemClock().now_ns()
    with pytest.MonkeyPatch.context() as right:
        right.setattr(SystemClock, "now_ns", lambda _: monkeypatched - 70 * DAY_NS)
        asyncio.run(filled(tmp_path))
    done = run(tmp_path)
    assert done.exit_code == 1
    assert "waits for another machine's clock, or for a word" in done.output
    assert "bellwether retention confirm" in done.output
    (shown,) = json.loads(run(tmp_path, "--json").output)
    assert {one["dataset"]: one["rows"] for one in shown["expiring"]} == {
        DATASET: 2,
        leaps.SHORT: 2,
    }
    refused = run(tmp_path, "confirm", given="n\n")
    assert refused.exit_code == 1
    assert not list((tmp_path / "objects").glob("retention*"))
    assert run(tmp_path, "confirm", "--yes").exit_code == 0
    assert len(list((tmp_path / "objects").glob("retention-confirmations/*/*.json"))) == 1
    assert "confirmed" in run(tmp_path).output


def test_what_a_wrong_clock_took_comes_back_by_one_command(tmp_path: Path) -> None:
    asyncio.run(leaps.expired_by_a_wrong_clock(tmp_path))
    shown = run(tmp_path)
    assert shown.exit_code == 1
    assert "4 events expired before their time: bellwether retention restore" in shown.output
    assert run(tmp_path, "restore", "--yes", "--dataset", "nothing").exit_code == 1
    assert run(tmp_path, "restore", given="n\n").exit_code == 1
    done = run(tmp_path, "restore", "--yes")
    assert done.exit_code == 0, done.output
    assert "taken back: 4 events in 4 segments" in done.output
    assert run(tmp_path).exit_code == 0
    assert asyncio.run(rows(tmp_path)) == [1, 2]


def test_objects_that_are_gone_are_named_and_the_others_come_back(tmp_path: Path) -> None:
    asyncio.run(leaps.expired_by_a_wrong_clock(tmp_path))
    lost = sorted((tmp_path / "objects").glob("segments/*/*.parquet"))[0]
    lost.unlink()
    done = run(tmp_path, "restore", "--yes")
    assert done.exit_code == 0
    assert f"segment {lost.stem} is deleted already" in done.output
    assert "taken back: 3 events in 3 segments" in done.output
    assert "1" in run(tmp_path).output
