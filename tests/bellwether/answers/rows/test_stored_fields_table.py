"""The table of `bellwether fields`, and completion, over real roles."""

import asyncio
from pathlib import Path

from click.testing import CliRunner, Result

from bellwether.answers.rows.stored_fields_table import size_text
from bellwether.cli import cli
from bellwether.client import Target
from bellwether.shell.completion_names import CompletionNames
from common.clock import SystemClock
from tests.query.fields.real import RealRoles, real_roles

EVENTS = [
    {"item": f"item-{n % 5}", "price": n + 0.5, "mixed": n if n % 2 else "x"} for n in range(50)
]


async def fields(running: RealRoles, *arguments: str) -> Result:
    command = ["fields", "shop", *arguments, "--url", running.url, "--key", "K"]
    return await asyncio.to_thread(CliRunner().invoke, cli, command)


async def test_what_all_stored_events_have_is_listed_and_found_by_words(tmp_path: Path) -> None:
    async with real_roles(tmp_path) as running:
        await running.append(0, EVENTS)
        shown = await fields(running)
        assert shown.exit_code == 0, shown.output
        head, item, mixed, price = shown.stdout.splitlines()
        assert head.split()[:5] == ["field", "type", "share", "distinct", "bytes"]
        assert item.split()[:5] == ["item", "string", "100", "%", "5"]
        assert "item-0 to item-4" in item
        assert "integer 50.0 %, string 50.0 %" in mixed
        assert "0.5 to 49.5" in price
        assert [*(await fields(running, "item-3", "--names")).stdout.split()] == []
        assert (await fields(running, "item-3")).stdout.splitlines()[1].startswith("item")
        assert len((await fields(running, "*i*", "-n", "1")).stdout.splitlines()) == 2
        counted = await fields(running, "--last", "1h", "--json")
        assert '"events":0' in counted.stdout


async def test_values_are_completed_and_asked_once_where_all_are_known(tmp_path: Path) -> None:
    async with real_roles(tmp_path) as running:
        await running.append(0, EVENTS)
        names = CompletionNames(Target(running.url, "K"), SystemClock())
        found = await asyncio.to_thread(names.values, "shop", "item", "ITEM-")
        assert sorted(found) == [f"item-{n}" for n in range(5)]
        await running.append(0, [{"item": "item-9"}])
        again = await asyncio.to_thread(names.values, "shop", "item", "ITEM-9")
        assert again == found  # what begins with less was known whole
        names.forget()
        assert await asyncio.to_thread(names.values, "shop", "item", "ITEM-9") == ["item-9"]
        names.close()


def test_bytes_are_short() -> None:
    assert [size_text(n) for n in (0, 999, 1_500, 12_345, 9_960_000, 10**12)] == [
        "0 B", "999 B", "1.5 kB", "12 kB", "10 MB", "1.0 TB",
    ]  # fmt: skip
