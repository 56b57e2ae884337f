"""`bellwether tail`: follow events as they arrive."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click
import orjson

from bellwether.answers.rows.waiting import Waiting
from bellwether.client import ClientError, Target
from bellwether.commands.ask.rows import named_fields, read_conditions
from bellwether.options.completion import complete_dataset
from bellwether.options.shared import client_options, run_async
from bellwether.output import output_console, printable
from common.tasks import run_together, running

if TYPE_CHECKING:
    from rich.text import Text

    from bellwether.client.session import Client

_RETRY_S = 0.5
_REMEMBERED = 2_000  # lines; as many as a person saw pass by


@click.command()
@click.argument("dataset", shell_complete=complete_dataset)
@click.argument("text", required=False, default="")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.option(
    "--fields",
    "--field",
    "fields",
    multiple=True,
    metavar="A,B",
    help="Only these fields; backticks hold commas.",
)
@click.option("-n", "--count", type=click.IntRange(1), help="Stop after so many events.")
@click.option("-q", "--quiet", is_flag=True, help="Do not tell what it waits for.")
@client_options
def tail(
    target: Target,
    dataset: str,
    text: str,
    as_json: bool,
    fields: tuple[str, ...],
    count: int | None,
    quiet: bool,
) -> None:
    """Follow the events of DATASET as they are indexed; Ctrl-C stops.

    \b
        bellwether tail web 'WHERE status >= 500'

    TEXT has the conditions of a query: only events that match are sent.
    """
    choice: dict[str, Any] = read_conditions(text, dataset)
    if (names := named_fields(fields)) is not None:
        choice["fields"] = list(names)
    watch = Waiting(dataset, text, choice, None if quiet else _notice)
    run_async(_follow(target, watch, as_json, count))


async def _follow(target: Target, watch: Waiting, as_json: bool, count: int | None) -> None:
    from bellwether.client.session import connect

    console = output_console()
    path = f"/bw/1/tail/{quote(watch.dataset, safe='')}"
    seen = 0
    async with connect(target, total_s=None) as client:
        following = follow(client, path, _notice, choice=watch.choice, on_start=watch.begin)
        async with running(run_together(watch.report(client))), aclosing(following) as lines:
            async for line in lines:
                watch.seen = True
                if as_json:
                    click.echo(line.decode("utf-8", "replace").rstrip("\n"))
                else:
                    console.print(_show(orjson.loads(line), watch.fields), soft_wrap=True)
                seen += 1
                if count is not None and seen >= count:
                    return


def _notice(text: str) -> None:
    click.echo(text, err=True)


async def follow(
    client: Client,
    path: str,
    on_gap: Callable[[str], None],
    retry_s: float = _RETRY_S,
    choice: dict[str, Any] | None = None,
    on_start: Callable[[], None] = lambda: None,
) -> AsyncGenerator[bytes, None]:
    """The stream's lines, asked for again whenever it ends. Raises ClientError if the first
    request fails, or a later one is refused for good. choice: conditions and fields. on_start: is
    called once, when the stream runs.

    The server ends a stream when an indexer or the query role stops. What is indexed until the
    stream runs again may not be in it: `on_gap` is called. A restarted indexer indexes its last
    records again: lines that were given before are skipped.
    """
    given: deque[bytes] = deque(maxlen=_REMEMBERED)
    repeated: Counter[bytes] = Counter()
    lost_since: datetime | None = None
    started = False
    method, body = ("POST", orjson.dumps(choice)) if choice else ("GET", None)
    while True:
        try:
            async with client.open(method, path, body) as answer:
                if not started:
                    on_start()
                started = True
                if lost_since is not None:
                    on_gap(
                        f"following again; events since {lost_since:%Y-%m-%d %H:%M:%S}Z may be "
                        "missing here: `bellwether query` has them"
                    )
                    lost_since = None
                    repeated = Counter(given)
                async for line in answer.content:
                    if not line.endswith(b"\n") or not line.strip():  # cut off half way
                        continue
                    if repeated[line] > 0:
                        repeated[line] -= 1
                        continue
                    given.append(line)
                    yield line
        except ClientError as error:
            if not started or 0 < error.status < 500:
                raise
        if lost_since is None:
            lost_since = datetime.now(UTC)
            on_gap("the stream ended; trying again until Ctrl-C")
        await asyncio.sleep(retry_s)


def _show(event: dict[str, Any], fields: tuple[str, ...]) -> Text:
    from rich.text import Text

    moment = datetime.fromtimestamp(event["time"] / 1e9, UTC)
    text = Text(f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}Z", style="dim")
    data = event["data"]
    for name in fields or data:
        if name in data:
            value = data[name]
            shown = value if isinstance(value, str) else orjson.dumps(value).decode()
            text.append(f" {printable(name)}=", style="cyan")
            text.append(printable(shown), style="default")
    if event.get("samplerate", 1) != 1:
        text.append(f" ×{event['samplerate']}", style="dim")
    return text
