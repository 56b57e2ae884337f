"""`bellwether unnamed`: nothing is removed unless it is asked for, and then only what is old."""

import asyncio
import json
import os
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from bellwether.cli import cli
from common.clock import SystemClock
from common.locks.files import FileLocks
from common.objects.directory import DirectoryObjects
from common.process.members import Member, encode_member
from common.process.versions import OWN
from tests.bellwether.commands.test_segments import filled
from tests.snapshot.unnamed.test_unnamed_objects import DAY_NS, leave


def run(folder: Path, *arguments: str, given: str | None = None) -> Result:
    command = ["unnamed", "--data", str(folder), *arguments]
    return CliRunner().invoke(cli, command, input=given)


def aged(folder: Path, days: float) -> str:
    """Leave an object of this age; returns its key."""
    key = leave(DirectoryObjects(folder / "objects"), b"%f" % days)
    then_s = (SystemClock().now_ns() - days * DAY_NS) / 1e9
    os.utime(folder / "objects" / key, (then_s, then_s))
    return key


def keys(folder: Path) -> set[str]:
    return {info.key for info in DirectoryObjects(folder / "objects").list("segments/")}


def test_it_lists_without_removing_and_removes_when_told(tmp_path: Path) -> None:
    asyncio.run(filled(tmp_path))
    named = keys(tmp_path)
    assert run(tmp_path).stdout == "every object is named by a document\n"
    old, young = aged(tmp_path, 3), aged(tmp_path, 0.9)
    listed = run(tmp_path)
    assert listed.exit_code == 0, listed.output
    assert [line.split()[0] for line in listed.stdout.splitlines()[1:3]] == sorted([old, young])
    assert "3 d" in listed.stdout
    assert "may be about to be named" in listed.stdout
    assert "1 of them older than a day: `bellwether unnamed --remove`" in listed.stdout
    assert keys(tmp_path) == {*named, old, young}
    assert run(tmp_path, "--remove", given="n\n").exit_code == 1
    assert keys(tmp_path) == {*named, old, young}
    done = run(tmp_path, "--remove", "--yes")
    assert "removed: 1 objects" in done.stdout
    assert keys(tmp_path) == {*named, young}
    found = json.loads(run(tmp_path, "--json").stdout)
    assert [(one["key"], one["removable"]) for one in found["objects"]] == [(young, False)]
    assert found["removed"] is None


def test_a_store_of_another_time_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(filled(tmp_path))
    key = aged(tmp_path, 0.5)
    monkeypatch.setattr(
        "bellwether.commands.operate.unnamed.store_now_ns",
        lambda objects, clock: clock.now_ns() + DAY_NS,
    )
    done = run(tmp_path, "--remove", "--yes")
    assert done.exit_code == 1
    assert "set the wrong one right" in done.stderr
    assert key in keys(tmp_path)


@pytest.mark.parametrize("name", ["roles/indexer/indexer-a-1", "claims/a/00000"])
def test_while_an_older_indexer_runs_it_is_refused(tmp_path: Path, name: str) -> None:
    """It does not look again for an object that it has found in the store and then names."""
    asyncio.run(filled(tmp_path))
    key = aged(tmp_path, 3)
    locks = FileLocks(tmp_path / "locks")
    older = Member("indexer", "indexer-a-1", "http://127.0.0.1:9", "a", 1, 1, "0.1")
    claim = locks.acquire(name, encode_member(older))
    assert claim is not None
    done = run(tmp_path, "--remove", "--yes")
    assert done.exit_code == 1
    assert "indexer-a-1 runs an older version" in done.stderr
    assert key in keys(tmp_path)
    claim.update(encode_member(msgspec.structs.replace(older, understands=OWN)))
    assert "removed: 1 objects" in run(tmp_path, "--remove", "--yes").stdout
    locks.close()


def test_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path / "nothing")
    assert done.exit_code == 1
    assert "is no data folder" in done.stderr
