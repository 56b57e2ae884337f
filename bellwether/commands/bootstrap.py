"""`bellwether bootstrap --plan`: what an indexer on an empty disk would do, and for how long."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
import orjson
from rich.table import Table

from bellwether.backends import make_log, make_objects
from bellwether.config.sections import BackendsConfig, NodeConfig
from bellwether.config.settings import Settings
from bellwether.options.shared import configuration_options, load_settings
from bellwether.output import output_console
from common.clock import SystemClock
from common.errors import BellwetherError
from common.model.record import LogRecord, RecordError, decode
from indexer.config import IndexerConfig
from indexer.partition.index_batch import index_batch
from indexer.shred import Accepted, Shredder
from indexer.shred.reference import ReferenceShredder
from indexer.state.live_rows import LiveRows
from snapshot.bootstrap.estimate import BootstrapEstimate, estimate_bootstrap


@click.command()
@click.option("--plan", "planned", is_flag=True, help="Tell what it would fetch and replay.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@configuration_options
def bootstrap(
    planned: bool, as_json: bool, config: Path | None, data: Path | None, sets: tuple[str, ...]
) -> None:
    """Tell what an indexer on an empty disk has to fetch and replay. Changes nothing.

    An indexer bootstraps by itself when it starts (`bellwether indexer`, `bellwether up`).
    """
    if not planned:
        raise click.UsageError("say --plan; to bootstrap, start `bellwether indexer`")
    settings = load_settings(config, data, sets)
    folder = settings.section(NodeConfig).data
    if settings.section(BackendsConfig).embedded and not (folder / "log").is_dir():
        raise click.ClickException(f"{folder} is no data folder: name it with --data")
    try:
        plan = asyncio.run(_plan(settings))
    except BellwetherError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(orjson.dumps(_document(plan), option=orjson.OPT_INDENT_2).decode())
    else:
        _show(plan)


async def _plan(settings: Settings) -> BootstrapEstimate:
    clock = SystemClock()
    log = make_log(settings, clock, read_only=True)
    identity = await log.open()
    try:
        return await estimate_bootstrap(
            await asyncio.to_thread(make_objects, settings, clock),
            log,
            range(identity.partitions),
            _timed_work(ReferenceShredder()),
            clock,
            settings.section(IndexerConfig).segment_fetches,
        )
    finally:
        await log.close()


def _timed_work(shredder: Shredder) -> Any:
    def work(records: Sequence[LogRecord]) -> int:
        batch = []
        for message in records:
            try:
                record = decode(message)
            except RecordError:
                continue  # set aside, in no time
            if record.has_events:
                batch.append(Accepted(message.offset, message.append_ns, record))
        end = records[-1].offset + 1
        live = LiveRows(records[0].offset)
        return index_batch(shredder, live, batch, end, frozenset()).rows

    return work


def _document(plan: BootstrapEstimate) -> dict[str, Any]:
    fetch_s, replay_s = plan.seconds()
    found = [
        msgspec.to_builtins(one)
        | {"records": one.records}
        | dict(zip(("fetch_s", "replay_s"), plan.seconds(one), strict=True))
        for one in plan.partitions
    ]
    return {
        "partitions": found,
        "total": {
            "segment_bytes": plan.segment_bytes,
            "segments": sum(one.segments for one in plan.partitions),
            "records": sum(one.records for one in plan.partitions),
            "events": plan.events,
            "record_bytes": sum(one.record_bytes for one in plan.partitions),
            "fetch_s": fetch_s,
            "replay_s": replay_s,
        },
        "measured": msgspec.to_builtins(plan.rates),
    }


def _show(plan: BootstrapEstimate) -> None:
    console = output_console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    columns = ("partition", "segments", "to fetch", "time", "from offset", "records", "events",
               "to replay", "time", "lost")  # fmt: skip
    for name in columns:
        table.add_column(name, overflow="fold")
    document = _document(plan)
    for one in plan.partitions:
        fetch_s, replay_s = plan.seconds(one)
        lost = ""
        if one.lost is not None:
            end = "?" if one.lost.end is None else f"{one.lost.end:,}"
            lost = f"{one.lost.first:,}–{end}: {one.lost.reason}"
        table.add_row(
            str(one.partition), f"{one.segments:,}", _size(one.segment_bytes), _time(fetch_s),
            f"{one.first_offset:,}", f"{one.records:,}", f"{one.events:,}",
            _size(one.record_bytes), _time(replay_s), lost,
        )  # fmt: skip
    total = document["total"]
    table.add_row(
        "all", f"{total['segments']:,}", _size(total["segment_bytes"]), _time(total["fetch_s"]), "",
        f"{total['records']:,}", f"{total['events']:,}", _size(total["record_bytes"]),
        _time(total["replay_s"]), "",
    )  # fmt: skip
    console.print(table)
    rates = plan.rates
    fetch = f"{rates.segment_bytes_per_s / 1e6:,.1f} MB/s" if rates.segment_bytes_per_s else "–"
    replay = f"{rates.events_per_s:,.0f} events/s" if rates.events_per_s else "–"
    console.print(f"measured here just now: segments {fetch}, replay {replay} (in one thread)")
    console.print(
        "The replay decides when the indexer is ready; segments are fetched meanwhile, and what "
        "a query names is fetched at once. Events and bytes to replay are estimated from samples."
    )


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    for size, unit in ((3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
