"""`bellwether verify`: recompute every digest, check manifests against segments and log."""

import asyncio
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bellwether.backends import make_log, make_objects
from bellwether.commands.options import configuration_options, load_settings
from bellwether.config import BackendsConfig, NodeConfig
from bellwether.settings import Settings
from common.clock import SystemClock
from common.errors import BellwetherError
from common.log import Log
from common.objects import ObjectStore
from common.parquet.active import ActiveEncoders
from indexer.repair import Repairs
from indexer.shred.reference import ReferenceShredder
from snapshot.cache import SegmentCache
from snapshot.verify import VerifyReport
from snapshot.verify import verify as run_verify


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
        report = asyncio.run(_verify(folder, settings, repair))
    except BellwetherError as error:
        raise click.ClickException(str(error)) from error
    console = Console(highlight=False, soft_wrap=True)
    for problem in report.problems:
        style = "yellow" if problem.warning else "red"
        console.print(f"partition {problem.partition}: {problem.what}", style=style, markup=False)
        console.print(f"  {problem.remedy}", markup=False)
    console.print(
        f"{report.partitions} partitions, {report.manifests:,} manifests, "
        f"{report.segments:,} segments, {report.rows:,} rows, {report.bytes / 1e6:,.1f} MB checked"
    )
    console.print(_verdict(report), style="green" if report.clean else "bold red")
    sys.exit(0 if report.clean else 1)


def _verdict(report: VerifyReport) -> str:
    if report.clean:
        return "clean: every digest and every reference is right"
    return f"{sum(not p.warning for p in report.problems)} problems"


async def _make_again(report: VerifyReport, log: Log, objects: ObjectStore) -> int:
    """Make broken segments again from the log; returns how many could be."""
    made = 0
    with tempfile.TemporaryDirectory(prefix="bellwether-repair-") as scratch:
        cache = SegmentCache(objects, Path(scratch) / "segments", 0)
        repairs = Repairs(
            log, objects, cache, ReferenceShredder(), ActiveEncoders(), Path(scratch) / "work"
        )
        for partition, entry in report.broken:
            try:
                made += await repairs.repair(partition, entry)
            except BellwetherError as error:
                click.echo(f"cannot make segment {entry.object} again: {error}", err=True)
    return made


async def _verify(folder: Path, settings: Settings, repair: bool) -> VerifyReport:
    log = make_log(settings, SystemClock())
    identity = await log.open()
    objects = await asyncio.to_thread(make_objects, settings, SystemClock())
    try:
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=Console(stderr=True),
            transient=True,
        ) as bar:
            task = bar.add_task("segments", total=None)

            def on_progress(done: int, total: int, what: str) -> None:
                bar.update(task, completed=done, total=total, description=what)

            numbers = range(identity.partitions)
            copies = sorted((folder / "roles").glob("*/segments")) if repair else []
            report = await run_verify(objects, log, numbers, on_progress, copies)
            if repair and await _make_again(report, log, objects):
                report = await run_verify(objects, log, numbers, on_progress, copies)
            return report
    finally:
        await log.close()
