"""`bellwether verify`: recompute every digest, check manifests against segments and log."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bellwether.backends import log_folder, make_log, make_objects
from bellwether.config.sections import BackendsConfig, NodeConfig
from bellwether.config.settings import Settings
from bellwether.options.shared import configuration_options, load_settings
from bellwether.output import error_console, output_console
from common.clock import SystemClock
from common.errors import BellwetherError
from common.log import Log
from common.log.embedded.examine import has_log
from common.objects import ObjectStore
from indexer.shred.reference import ReferenceShredder
from indexer.upkeep.repair.rebuild import SegmentRebuilder
from segment.parquet.selected import SelectedEncoders
from snapshot.cache import SegmentCache
from snapshot.documents.epochs import known_partitions
from snapshot.verify.report import VerifyReport
from snapshot.verify.verify import verify as run_verify


@click.command()
@click.option(
    "--repair",
    is_flag=True,
    help="Put damaged segments again from an indexer's copy, or make them again from the log.",
)
@configuration_options
def verify(repair: bool, config: Path | None, data: Path | None, sets: tuple[str, ...]) -> None:
    """Check everything that was stored, also while `up` runs. Exit code 1: something is wrong."""
    settings = load_settings(config, data, sets)
    folder = settings.section(NodeConfig).data
    if settings.section(BackendsConfig).embedded and not (folder / "log").is_dir():
        raise click.ClickException(f"{folder} is no data folder: name it with --data")
    try:
        report = asyncio.run(_verify(settings, repair))
    except BellwetherError as error:
        raise click.ClickException(str(error)) from error
    console = output_console(soft_wrap=True)
    for problem in report.problems:
        style = "yellow" if problem.warning else "red"
        where = "" if problem.partition is None else f"partition {problem.partition}: "
        console.print(f"{where}{problem.what}", style=style, markup=False)
        console.print(f"  {problem.remedy}", markup=False)
    if report.unlisted:
        console.print(f"and {report.unlisted:,} more that are not listed", style="red")
    for line in counts(report):
        console.print(line)
    console.print(_verdict(report), style="green" if report.clean else "bold red")
    sys.exit(0 if report.clean else 1)


def counts(report: VerifyReport) -> list[str]:
    """What was checked, and what is only in the log so far."""
    lines = [
        f"{report.partitions} partitions, {report.manifests:,} manifests, "
        f"{report.segments:,} segments, {report.rows:,} rows, {report.bytes / 1e6:,.1f} MB checked",
        f"log: {report.log_records:,} records, {report.log_bytes / 1e6:,.1f} MB checked",
    ]
    if report.unnamed:
        young = (
            f", {report.unnamed_young:,} of them put within a day" if report.unnamed_young else ""
        )
        lines.append(
            f"{report.unnamed:,} objects ({report.unnamed_bytes / 1e6:,.1f} MB) are named by no "
            f"document and in no answer{young}: `bellwether unnamed`"
        )
    if report.pending_events:
        repeats = f", {report.pending_repeats:,} repeats left out" if report.pending_repeats else ""
        lines.append(
            f"{report.pending_events:,} events ({report.pending_batches:,} batches{repeats}) are "
            "only in the log so far: they were checked there; `bellwether cut` makes segments"
        )
    return lines


def _verdict(report: VerifyReport) -> str:
    if report.clean:
        return "clean: every checksum, every digest and every reference is right"
    return f"{report.failures:,} problems"


async def _make_again(report: VerifyReport, log: Log, objects: ObjectStore) -> int:
    """Make broken segments again from the log; returns how many could be."""
    made = 0
    with tempfile.TemporaryDirectory(prefix="bellwether-repair-") as scratch:
        cache = SegmentCache(objects, Path(scratch) / "segments", 0)
        rebuilder = SegmentRebuilder(
            log, objects, cache, ReferenceShredder(), SelectedEncoders(), Path(scratch) / "work"
        )
        for partition, entry in report.broken:
            try:
                made += await rebuilder.rebuild(partition, entry)
            except BellwetherError as error:
                click.echo(f"cannot make segment {entry.object} again: {error}", err=True)
    return made


@asynccontextmanager
async def _opened(
    settings: Settings, repair: bool
) -> AsyncIterator[tuple[Log | None, Path | None]]:
    """The log, None if it cannot be opened, and the folder of an embedded one.

    Nothing is made that is not there: a log that is missing is reported, not replaced.
    """
    log = make_log(settings, SystemClock(), read_only=not repair)
    folder = log_folder(settings)
    if folder is not None and not has_log(folder):
        yield None, folder
        return
    await log.open()
    try:
        yield log, folder
    finally:
        await log.close()


async def _verify(settings: Settings, repair: bool) -> VerifyReport:
    objects = await asyncio.to_thread(make_objects, settings, SystemClock())
    copies = sorted((settings.section(NodeConfig).data / "roles").glob("*/segments"))
    async with _opened(settings, repair) as (log, folder):
        numbers = await _partitions(log, objects)
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=error_console(),
            transient=True,
        ) as bar:
            task = bar.add_task("segments", total=None)

            def on_progress(done: int, total: int, what: str) -> None:
                bar.update(task, completed=done, total=total, description=what)

            async def run() -> VerifyReport:
                return await run_verify(
                    objects, log, numbers, on_progress, copies if repair else (), folder
                )

            report = await run()
            if repair and log is not None and await _make_again(report, log, objects):
                report = await run()
            return report


async def _partitions(log: Log | None, objects: ObjectStore) -> range:
    """Those of the log, and those that the object store knows beyond."""
    known = await asyncio.to_thread(known_partitions, objects)
    if log is None:
        return range(known)
    return range(max((await log.open()).partitions, known))
