"""`bellwether damage`: lists what is missing and settles what is named, nothing else."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bellwether.cli import cli
from tests.indexer.damage.damaging import flip
from tests.indexer.damage.test_damage import three_records
from tests.indexer.harness import open_context, published, running, until
from tests.indexer.partition.test_partition import CUT


def run(folder: Path, *arguments: str) -> Result:
    before = arguments[:1] if arguments[:1] == ("settle",) else ()
    options = [*before, "--data", str(folder), *arguments[len(before) :]]
    return CliRunner().invoke(cli, ["damage", *options])


async def cut(folder: Path) -> None:
    async with open_context(folder) as context, running(context) as partition:
        await context.backends.log.append(0, CUT)
        await until(partition, published(6))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Records 2 to 4 in a published cut, of which 2 and 3 are damaged."""
    asyncio.run(three_records(tmp_path))
    flip(tmp_path, 2)
    flip(tmp_path, 3)
    asyncio.run(cut(tmp_path))
    return tmp_path


def test_one_record_is_settled_and_the_other_goes_on_missing(folder: Path) -> None:
    assert run(folder).exit_code == 1
    done = run(folder, "settle", "0", "3", "--yes")
    assert done.exit_code == 0, done.output
    (listed,) = json.loads(run(folder, "--json").output)
    assert (listed["missing_records"], listed["given_up_records"]) == (1, 1)
    assert [one["first"] for one in listed["missing"]] == [2]
    assert run(folder, "settle", "--all", "--yes").exit_code == 0
    assert run(folder).exit_code == 0


@pytest.mark.parametrize("offsets", ["3-2", "x", "²", "2-", "-2", "", "2-x"])
def test_offsets_that_are_none_are_refused_and_settle_nothing(folder: Path, offsets: str) -> None:
    done = run(folder, "settle", "--yes", "0", "--", offsets)
    assert done.exit_code == 2, done.output
    assert not list((folder / "objects").glob("damage/**/*.json"))


def test_record_that_is_whole_cannot_be_settled(folder: Path) -> None:
    done = run(folder, "settle", "0", "4", "--yes")
    assert done.exit_code == 1
    assert "not damaged" in done.output
    assert not list((folder / "objects").glob("damage/**/*.json"))
