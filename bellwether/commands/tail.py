"""`bellwether tail`: follow events as they arrive."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import aiohttp
import click
import orjson
from rich.console import Console
from rich.text import Text

from bellwether.client import Client, ClientError, Target, connect
from bellwether.commands.options import client_options, run_async


@click.command()
@click.argument("dataset")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.option("--field", "fields", multiple=True, help="Show only this field; may be repeated.")
@click.option("-n", "--count", type=click.IntRange(1), help="Stop after so many events.")
@client_options
def tail(
    target: Target, dataset: str, as_json: bool, fields: tuple[str, ...], count: int | None
) -> None:
    """Follow the events of DATASET as they are indexed; Ctrl-C stops."""
    run_async(_follow(target, dataset, as_json, fields, count))


async def _follow(
    target: Target, dataset: str, as_json: bool, fields: tuple[str, ...], count: int | None
) -> None:
    console = Console(highlight=False)
    async with connect(target, total_s=None) as client:
        seen = 0
        while True:
            try:
                seen = await _stream(client, dataset, as_json, fields, count, seen, console)
            except aiohttp.ClientPayloadError as error:
                raise ClientError(f"the stream ended: {error}") from error
            if count is not None and seen >= count:
                return
            # the server ends a stream when an indexer stops: what arrives meanwhile is not shown
            await asyncio.sleep(0.5)


async def _stream(
    client: Client,
    dataset: str,
    as_json: bool,
    fields: tuple[str, ...],
    count: int | None,
    seen: int,
    console: Console,
) -> int:
    async with client.open("GET", f"/bw/1/tail/{quote(dataset, safe='')}") as answer:
        async for line in answer.content:
            if not line.strip():
                continue
            if as_json:
                click.echo(line.decode("utf-8", "replace").rstrip("\n"))
            else:
                console.print(_show(orjson.loads(line), fields), soft_wrap=True)
            seen += 1
            if count is not None and seen >= count:
                break
    return seen


def _show(event: dict[str, Any], fields: tuple[str, ...]) -> Text:
    moment = datetime.fromtimestamp(event["time"] / 1e9, UTC)
    text = Text(f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}Z", style="dim")
    data = event["data"]
    for name in fields or data:
        if name in data:
            value = data[name]
            shown = value if isinstance(value, str) else orjson.dumps(value).decode()
            text.append(f" {name}=", style="cyan").append(shown, style="default")
    if event.get("samplerate", 1) != 1:
        text.append(f" ×{event['samplerate']}", style="dim")
    return text
