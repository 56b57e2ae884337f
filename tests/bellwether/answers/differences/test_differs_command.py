"""`bellwether differs` prints what the API answers."""

import asyncio
import json
from pathlib import Path

from click.testing import CliRunner, Result

from bellwether.cli import cli
from tests.query.differences.test_route import ROWS, with_columns
from tests.query.harness import BASE_S, QueryHarness, query_harness

RANGE = f"SINCE {BASE_S} UNTIL {BASE_S + 100}"


async def differs(running: QueryHarness, *arguments: str) -> Result:
    command = ["differs", "shop", *arguments, "--url", running.url, "--key", "K"]
    return await asyncio.to_thread(CliRunner().invoke, cli, command)


async def test_the_cause_and_what_follows_from_the_selection_are_printed(tmp_path: Path) -> None:
    async with query_harness(tmp_path, rows=ROWS) as running:
        with_columns(running)
        shown = await differs(running, RANGE, "--selection", "ms > 50")
        assert shown.exit_code == 0, shown.output
        lines = shown.stdout.splitlines()
        assert lines[0].startswith("build  0.")
        assert lines[1].split()[:4] == ["bad", "inside", "100", "%"]
        assert "says the same as the selection:" in lines
        assert "  s (follows from ms)" in lines
        assert "200 events inside, 1,800 outside; 7 fields looked at, 2 differ" in shown.stderr


async def test_a_selection_may_have_a_range_of_times_and_numbers_are_drawn(tmp_path: Path) -> None:
    async with query_harness(tmp_path, rows=ROWS) as running:
        with_columns(running)
        some = f"SINCE {BASE_S + 10} UNTIL {BASE_S + 60} WHERE build = bad"
        answer = json.loads((await differs(running, RANGE, "--selection", some, "--json")).stdout)
        wanted = [i for i in range(1_000) if 10 <= i % 100 < 60 and (not i % 10 or not i % 11)]
        assert answer["inside"]["stored"] == len(wanted)
        shown = await differs(running, RANGE, "--selection", "build = bad", "--fields", "ms")
        assert "inside" in shown.stdout
        assert "median" in shown.stdout
        limited = await differs(running, RANGE, "--selection", "build = bad LIMIT 5")
        assert limited.exit_code == 2
