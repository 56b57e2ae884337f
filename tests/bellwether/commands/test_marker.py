"""`bellwether marker` against a running query role."""

import asyncio
import json
import re
from pathlib import Path

from click.testing import CliRunner, Result

from bellwether.cli import cli
from tests.query.harness import QueryHarness, query_harness


async def run(running: QueryHarness, *arguments: str, key: str = "K") -> Result:
    given = ["marker", *arguments, "--url", running.url, "--key", key]
    return await asyncio.to_thread(CliRunner().invoke, cli, given)


async def test_markers_are_added_listed_updated_and_removed(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        added = await run(
            *(running, "add", "shop", "deploy 1.2.3", "--type", "deploy", "--link", "http://x/1"),
            *("--at", "2026-01-31T12:00:00Z", "--until", "2026-01-31 14:00", "--zone", "+01:00"),
        )
        assert added.exit_code == 0, added.output
        marker = added.stdout.strip()
        assert re.fullmatch("[0-9a-f]{6}", marker)
        earlier = (await run(running, "add", "shop", "--at", "1700000000")).stdout.strip()
        listed = await run(running, "list", "shop")
        assert [line.split() for line in listed.stdout.splitlines()] == [
            ["id", "start", "end", "type", "message", "url"],
            [earlier, "2023-11-14", "22:13:20Z"],
            [marker, "2026-01-31", "12:00:00Z", "2026-01-31", "13:00:00Z", "deploy", "deploy",
             "1.2.3", "http://x/1"],
        ]  # fmt: skip
        updated = await run(running, "update", "shop", marker, "--message", "x", "--link", "")
        assert updated.exit_code == 0, updated.output
        [line] = (await run(running, "list", "shop", "--type", "deploy", "--json")).stdout.split(
            "\n"
        )[:-1]
        shown = json.loads(line)
        assert (shown["message"], shown["end_time"]) == ("x", 1769864400), "the rest stays"
        assert "url" not in shown
        removed = await run(running, "rm", "shop", marker, earlier)
        assert removed.exit_code == 0, removed.output
        assert "no marker in shop" in (await run(running, "list", "shop")).stderr


async def test_a_marker_of_the_environment_is_written_with_a_star(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        added = await run(running, "add", "*", "maintenance", "--json")
        marker = json.loads(added.stdout)
        assert await running.get("/1/markers/__all__") == (200, [marker])
        assert (await run(running, "list", "shop")).stdout == ""
        assert marker["id"] in (await run(running, "list", "*")).stdout


async def test_what_cannot_be_read_is_said_and_nothing_is_added(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        for arguments, code, text in (
            (("add", "shop", "--at", "yesterdy"), 2, "did you mean yesterday?"),
            (("add", "shop", "--link", "ftp://x"), 1, "http://"),
            (("add", "shop", "--at", "2026-01-31", "--until", "2026-01-30"), 1, "before the start"),
            (("add", "none"), 1, 'no dataset "none"'),
            (("update", "shop", "abcdef"), 2, "give what to change"),
            (("update", "shop", "abcdef", "--type", "t"), 1, "Marker not found"),
            (("rm", "shop", "abcdef"), 1, "Marker not found"),
        ):
            result = await run(running, *arguments)
            assert (result.exit_code, text in result.stderr) == (code, True), result.stderr
        refused = await run(running, "add", "shop", key="MATE")
        assert "this key may not manage markers" in refused.stderr
        assert await running.get("/1/markers/shop") == (200, [])
