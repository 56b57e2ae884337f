"""`bellwether snapshot`: cut every partition now, and wait until it is in the object store."""

import sys
from dataclasses import dataclass
from typing import Any

import click
import orjson
from rich.markup import escape
from rich.table import Table

from bellwether.client import Target
from bellwether.client.session import connect
from bellwether.options.shared import client_options, run_async
from bellwether.output import output_console


@dataclass(frozen=True, slots=True)
class Outcome:
    """One partition. done: everything that was acknowledged before is in the object store."""

    partition: int
    done: bool
    text: str


def outcomes(document: dict[str, Any]) -> list[Outcome]:
    """What the endpoint answered, by partition: one of its indexers is enough."""
    by_partition: dict[int, list[tuple[bool, str]]] = {
        n: [] for n in range(int(document["partitions"]))
    }
    for item in document["indexers"]:
        for number, one in item.get("answer", {}).get("partitions", {}).items():
            by = f"by {item['indexer']}" if one["published"] else f"{item['indexer']}: {one['why']}"
            newest = one.get("manifest") or "nothing to cover yet"
            text = f"{newest}, {by}" if one["published"] else by
            by_partition.setdefault(int(number), []).append((bool(one["published"]), str(text)))
    silent = [f"{item['indexer']}: {item['error']}" for item in document["indexers"]
              if "error" in item]  # fmt: skip
    found = []
    for number, answers in sorted(by_partition.items()):
        good = [text for done, text in answers if done]
        bad = [text for done, text in answers if not done] or silent or ["no indexer holds it"]
        found.append(Outcome(number, bool(good), good[0] if good else "; ".join(bad)))
    return found


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@client_options
def snapshot(target: Target, as_json: bool) -> None:
    """Cut every partition now and wait until all of it is in the object store.

    Everything that was acknowledged before is then covered. Exit code 1: some partition is not.
    """
    document = run_async(_ask(target))
    found = outcomes(document)
    failed = [one for one in found if not one.done]
    if as_json:
        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        sys.exit(1 if failed or not found else 0)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("partition", "snapshot", "newest manifest"):
        table.add_column(name, overflow="fold")
    for one in found:
        state = "published" if one.done else "[red]NOT PUBLISHED[/red]"
        table.add_row(str(one.partition), state, escape(one.text))
    console = output_console()
    console.print(table)
    if failed:
        console.print("not covered yet: it is in the log; see bellwether status", style="red")
    sys.exit(1 if failed or not found else 0)


async def _ask(target: Target) -> dict[str, Any]:
    async with connect(target, total_s=130.0) as client:
        found: dict[str, Any] = await client.json("POST", "/bw/1/cut", {})
        return found
