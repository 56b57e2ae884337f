"""`bellwether bootstrap --rehearse`: rebuild a partition elsewhere and compare it with its pair."""

import asyncio
import contextlib
import getpass
import os
import random
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import click
import msgspec
import orjson

from bellwether.backends import make_locks, make_log, make_objects, open_metadata
from bellwether.config.sections import NodeConfig
from bellwether.config.settings import Settings
from bellwether.output import output_console
from bellwether.wiring import internal_token
from common.clock import Clock, SystemClock
from common.errors import Conflict
from common.locks import Locks
from common.process.alarms.board import AlarmBoard
from common.process.role import Backends, RoleContext
from common.process.telemetry import NoTelemetry, TelemetryQueue, TelemetrySender
from indexer.config import IndexerConfig
from indexer.shred.selected import SelectedShredder
from indexer.upkeep.rehearsal.pair import Pairs
from indexer.upkeep.rehearsal.rehearse import SAME, Rehearsal, RehearsalReport
from segment.parquet.selected import SelectedEncoders

FOLDER = "rehearsal"  # in the data folder: on its disk, not in a memory that /tmp may be
_LOCK = "operations/rehearsal"
_NICE = 10  # behind everything else that wants a processor


async def rehearse(settings: Settings, number: int) -> RehearsalReport:
    """One rehearsal of one partition, reported as an event too.

    Raises Conflict if it must not run now, other BellwetherErrors if it cannot.
    """
    clock = SystemClock()
    locks = await asyncio.to_thread(make_locks, settings, clock)
    try:
        claim = await asyncio.to_thread(locks.acquire, _LOCK, _operator().encode())
        if claim is None:
            raise Conflict("another rehearsal is running")
        async with _context(settings, clock, locks) as context:
            partitions = (await context.backends.log.open()).partitions
            if number >= partitions:
                raise Conflict(f"there is no partition {number}, only 0 to {partitions - 1}")
            async with Pairs(locks, context.internal_token) as pairs:
                holders = await pairs.healthy(partitions, number)
                config = settings.section(IndexerConfig)
                compiled = await _compiled(settings, config)
                rehearsal = Rehearsal(context, config, *compiled, number, pairs)
                report = await rehearsal.run(holders)
        await _emit(settings, clock, locks, report)
        return report
    finally:
        await asyncio.to_thread(locks.close)


@contextlib.asynccontextmanager
async def _context(settings: Settings, clock: Clock, locks: Locks) -> AsyncIterator[RoleContext]:
    """The context of an indexer that holds nothing, in a fresh folder that is removed after it."""
    node = settings.section(NodeConfig)
    parent = node.data / FOLDER
    await asyncio.to_thread(shutil.rmtree, parent, ignore_errors=True)  # of one that was killed
    parent.mkdir(parents=True)
    metadata = await asyncio.to_thread(open_metadata, settings)
    log = make_log(settings, clock, read_only=True)
    try:
        objects = await asyncio.to_thread(make_objects, settings, clock)
        yield RoleContext(
            role="indexer",
            instance=f"rehearsal-{socket.gethostname()}-{os.getpid()}",
            zone="rehearsal",
            host="127.0.0.1",
            port=0,
            folder=Path(tempfile.mkdtemp(dir=parent)),
            backends=Backends(log=log, objects=objects, metadata=metadata, locks=locks),
            clock=clock,
            random=random.Random(),
            telemetry=NoTelemetry(),
            stop=asyncio.Event(),
            internal_token=internal_token(settings),
            alarms=AlarmBoard(clock),
        )
    finally:
        await log.close()
        await asyncio.to_thread(metadata.close)
        await asyncio.to_thread(shutil.rmtree, parent, ignore_errors=True)


async def _compiled(
    settings: Settings, config: IndexerConfig
) -> tuple[SelectedShredder, SelectedEncoders]:
    """As fast as an indexer here has them: compiled, if one of them keeps the compiled code."""
    shredder, encoders = SelectedShredder(), SelectedEncoders()
    roles = settings.section(NodeConfig).data / "roles"
    folders = [Path(config.kernel_cache)] if config.kernel_cache else roles.glob("*/kernel")
    for folder in folders if config.kernel else ():
        seeds = (random.getrandbits(63), random.getrandbits(63))
        if folder.is_dir() and await shredder.load_cached(folder, seeds):
            await encoders.load_cached(folder)
            break
    return shredder, encoders


async def _emit(settings: Settings, clock: Clock, locks: Locks, report: RehearsalReport) -> None:
    """Report it in the dataset `bellwether`, where a trigger can find it."""
    node = settings.section(NodeConfig)
    if not node.telemetry:
        return
    queue = TelemetryQueue(clock, role="bootstrap", instance=socket.gethostname(), zone=node.zone)
    found = msgspec.to_builtins(report)
    fields = {name: value for name, value in found.items() if not isinstance(value, tuple | list)}
    reasons, holders = "; ".join(report.reasons), ", ".join(report.compared_with)
    queue.emit("rehearsal", **fields, reasons=reasons, compared_with=holders)
    if not await TelemetrySender(queue, locks, internal_token(settings)).send_waiting():
        click.echo("warning: no shepherd took the event about this rehearsal", err=True)


def _operator() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "somebody"
    return f"{user} on {socket.gethostname()}"


def lower_priority() -> None:
    """Let everything else on this machine go first."""
    with contextlib.suppress(OSError):
        os.nice(_NICE)


def show(report: RehearsalReport, *, as_json: bool) -> None:
    """Print a report."""
    if as_json:
        document = msgspec.to_builtins(report)
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
        return
    good = report.verdict == SAME
    console = output_console(soft_wrap=True)
    text = f"partition {report.partition}: {report.verdict}"
    if good:
        text += (
            f" content as {' and '.join(report.compared_with)} up to offset {report.end_offset:,}"
        )
    console.print(text, style="green" if good else "bold red", markup=False)
    for reason in report.reasons:
        console.print(f"  {reason}", markup=False)
    console.print(
        f"documents read after {report.resume_s:.1f} s; {report.events:,} events "
        f"({report.record_bytes / 1e6:,.1f} MB) from offset {report.first_offset:,} replayed after "
        f"{report.ready_s:.1f} s ({report.shredder}); {report.segments:,} segments "
        f"({report.segment_bytes / 1e6:,.1f} MB) fetched after {report.fetch_s:.1f} s; "
        f"{report.compared_rows:,} rows compared after {report.total_s:.1f} s",
        markup=False,
    )
    if report.unfetched:
        console.print(
            f"{report.unfetched:,} segments did not fit on the disk and were not fetched: their "
            "content is compared by what the manifests name", markup=False,
        )  # fmt: skip
