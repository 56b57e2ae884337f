"""`bellwether bootstrap`: what an indexer on an empty disk would do, planned or rehearsed."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec
import orjson
from rich.table import Table

from bellwether.backends import make_log, make_objects
from bellwether.commands.operate.bootstrap_rehearse import lower_priority, rehearse, show
from bellwether.commands.operate.bootstrap_weekly import (
    WeeklyTime,
    is_due,
    parse_weekly,
    read_last,
    write_last,
)
from bellwether.config.sections import BackendsConfig, NodeConfig
from bellwether.config.settings import Settings
from bellwether.options.shared import configuration_options, load_settings
from bellwether.output import output_console
from common.clock import SystemClock
from common.errors import BellwetherError
from common.model.record import LogRecord, RecordError, decode
from common.tasks import Retry, run_every
from indexer.config import IndexerConfig
from indexer.partition.index_batch import index_batch
from indexer.shred import Accepted, Shredder
from indexer.shred.reference import ReferenceShredder
from indexer.state.live_rows import LiveRows
from indexer.upkeep.rehearsal.rehearse import SAME
from snapshot.bootstrap.estimate import BootstrapEstimate, estimate_bootstrap

_AGAIN_S = 60.0  # between two looks at the schedule


@click.command()
@click.option("--plan", "planned", is_flag=True, help="Tell what it would fetch and replay.")
@click.option(
    "--rehearse",
    "partition",
    type=click.IntRange(0),
    metavar="PARTITION",
    help="Rebuild this partition in a folder of its own, and compare it with its indexers.",
)
@click.option(
    "--weekly",
    metavar="'MON 15:00'",
    help="With --rehearse: stay, and do it each week at this time of this machine's zone.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@configuration_options
def bootstrap(
    planned: bool,
    partition: int | None,
    weekly: str | None,
    as_json: bool,
    config: Path | None,
    data: Path | None,
    sets: tuple[str, ...],
) -> None:
    """Tell what an indexer on an empty disk has to fetch and replay, or rehearse it.

    An indexer bootstraps by itself when it starts (`bellwether indexer`, `bellwether up`). Neither
    --plan nor --rehearse changes anything. Exit code of a rehearsal: 1 if its content is not the
    same, or could not be compared.
    """
    if planned == (partition is not None):
        raise click.UsageError("say --plan or --rehearse; to bootstrap, start `bellwether indexer`")
    if weekly is not None and partition is None:
        raise click.UsageError("--weekly goes with --rehearse")
    settings = load_settings(config, data, sets)
    folder = settings.section(NodeConfig).data
    if settings.section(BackendsConfig).embedded and not (folder / "log").is_dir():
        raise click.ClickException(f"{folder} is no data folder: name it with --data")
    try:
        if partition is not None:
            sys.exit(_rehearse(settings, partition, weekly, as_json))
        plan = asyncio.run(_plan(settings))
    except BellwetherError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(orjson.dumps(_document(plan), option=orjson.OPT_INDENT_2).decode())
    else:
        _show(plan)


def _rehearse(settings: Settings, partition: int, weekly: str | None, as_json: bool) -> int:
    """Rehearse once, or each week until Ctrl-C; returns the exit code."""
    lower_priority()
    if weekly is None:
        report = asyncio.run(rehearse(settings, partition))
        show(report, as_json=as_json)
        return 0 if report.verdict == SAME else 1
    try:
        at = parse_weekly(weekly)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    asyncio.run(_rehearse_weekly(settings, partition, at, as_json=as_json))
    return 0


async def _rehearse_weekly(
    settings: Settings, partition: int, at: WeeklyTime, *, as_json: bool
) -> None:
    """Rehearse each week. One that cannot run now, or fails, is told and tried again soon."""
    clock = SystemClock()
    path = settings.section(NodeConfig).data / "rehearsals" / f"{partition:05d}.json"
    schedule = f"{at.weekday} {at.hour:02d}:{at.minute:02d}"

    async def run_if_due() -> None:
        now_s = clock.now_ns() / 1e9
        if not is_due(at, read_last(path, schedule, now_s), datetime.fromtimestamp(now_s)):
            return
        report = await rehearse(settings, partition)
        write_last(path, schedule, now_s)
        show(report, as_json=as_json)

    def told(error: Exception) -> None:
        click.echo(f"no rehearsal now, tried again in {_AGAIN_S:.0f} s: {error}", err=True)

    retry = Retry((BellwetherError, OSError), told)
    await run_every(_AGAIN_S, run_if_due, at_once=True, retry=retry)


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
            "objects": sum(one.objects for one in plan.partitions),
            "requests": sum(one.requests for one in plan.partitions),
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
    columns = ("partition", "segments", "objects", "requests", "to fetch", "time",
               "from offset", "records", "events", "to replay", "time", "lost")  # fmt: skip
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
            str(one.partition), f"{one.segments:,}", f"{one.objects:,}", f"{one.requests:,}",
            _size(one.segment_bytes), _time(fetch_s),
            f"{one.first_offset:,}", f"{one.records:,}", f"{one.events:,}",
            _size(one.record_bytes), _time(replay_s), lost,
        )  # fmt: skip
    total = document["total"]
    table.add_row(
        "all", f"{total['segments']:,}", f"{total['objects']:,}", f"{total['requests']:,}",
        _size(total["segment_bytes"]), _time(total["fetch_s"]), "",
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
