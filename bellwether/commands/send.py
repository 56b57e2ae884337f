"""`bellwether send`: load a file.

What talks to a server, and what draws, is imported where it is needed: help and `--dry-run` are
there at once.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import click
import orjson

from bellwether.client import ClientError, Target
from bellwether.commands.completion import complete_dataset
from bellwether.commands.options import client_options, run_async
from bellwether.output import error_console, output_console, printable
from bellwether.send.batches import Batch, batches
from bellwether.send.event import UnknownFormat
from bellwether.send.formats.detect import detect
from bellwether.send.formats.registry import FORMATS, NAMES, reader_for
from bellwether.send.options import ReadOptions
from bellwether.send.own_time import TimeChoices
from bellwether.send.prepare import Choices, Ready, prepare
from bellwether.send.preview import Preview, preview
from bellwether.send.resume import LoadState, read_state, state_file, state_folder, write_state
from bellwether.send.source import DAMAGED, Source, SourceError, open_source
from common.clock import SystemClock
from common.times.api import format_rfc3339

if TYPE_CHECKING:
    from bellwether.send.sender import Progress as Counts
    from bellwether.send.sender import Reject

_REASONS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Load:
    """What one load was told."""

    target: Target
    dataset: str
    choices: Choices
    resume: bool
    again: bool
    rejects: IO[bytes] | None
    environ: dict[str, str]


@click.command()
@click.argument("dataset", shell_complete=complete_dataset)
@click.argument("file")
@click.option(
    "--format",
    "kind",
    type=click.Choice(NAMES),
    help="Default: found out. " + "; ".join(f"{known.name}: {known.help}" for known in FORMATS),
)
@click.option(
    "--time-field",
    "time_fields",
    multiple=True,
    help="Field that holds the event's time (default: found out). Given twice: the fields of its "
    "date and its time of day.",
)
@click.option(
    "--time-format",
    help="How times are written: epoch_s, epoch_ms, epoch_us, epoch_ns, rfc3339, clf, or a "
    "strptime format such as '%d.%m.%Y %H:%M:%S'.",
)
@click.option("--zone", help="Zone of times that name none: Europe/Berlin, +02:00 (default: UTC).")
@click.option(
    "--arrival-time", is_flag=True, help="Store events whose time cannot be read at their arrival."
)
@click.option("--no-header", is_flag=True, help="CSV, TSV: the first row is an event.")
@click.option("--header", is_flag=True, help="CSV, TSV: the first row has the columns' names.")
@click.option("--columns", help="CSV, TSV: the columns' names, for a file without them: a,b,c")
@click.option("--sample-rate-field", help="Field that holds the event's sample rate.")
@click.option("--depth", type=int, default=0, help="Unpack nested objects this deep (0 to 10).")
@click.option("--dry-run", is_flag=True, help="Show how the first events would be stored.")
@click.option("--resume", is_flag=True, help="Go on where the last load of this file stopped.")
@click.option("--again", is_flag=True, help="Store the file once more, also if it is there.")
@click.option("--rejects", type=click.File("wb"), help="Write what was not stored to this file.")
@client_options
def send(
    target: Target,
    dataset: str,
    file: str,
    kind: str | None,
    time_fields: tuple[str, ...],
    time_format: str | None,
    zone: str | None,
    arrival_time: bool,
    no_header: bool,
    header: bool,
    columns: str | None,
    sample_rate_field: str | None,
    depth: int,
    dry_run: bool,
    resume: bool,
    again: bool,
    rejects: IO[bytes] | None,
) -> None:
    """Load FILE (- for standard input) into DATASET.

    Reads JSON lines, JSON arrays, CSV, logfmt and Apache/nginx access logs, plain or compressed
    (gzip, zstd, bz2, xz). Sending the same file twice stores it once (--again stores it anew).
    The exit code is 1 if anything was not stored.
    """
    try:
        options = ReadOptions(
            no_header=no_header,
            header=header,
            columns=tuple(name.strip() for name in columns.split(",")) if columns else (),
        )
        if len(time_fields) > 2:
            raise ValueError("--time-field can be given once, or twice for a date and a time")
        times = TimeChoices(time_fields, time_format, zone, arrival_time)
        choices = Choices(times, sample_rate_field, depth, options)
        source = open_source(file)
        kind = kind or detect(source.head, file)
        parsed = reader_for(kind, source.head, options)(source.stream)
        items = prepare(parsed, choices, SystemClock().now_ns())
    except (ValueError, SourceError, UnknownFormat) as error:
        raise click.ClickException(str(error)) from error
    if dry_run:
        _print_preview(preview(items), kind)
        return
    load = _Load(target, dataset, choices, resume, again, rejects, dict(os.environ))
    sys.exit(run_async(_load(source, items, load)))


async def _load(source: Source, items: Iterator[Ready], load: _Load) -> int:
    """Send everything; returns the exit code."""
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from bellwether.client.session import connect
    from bellwether.send.sender import Sender, SendFailed

    console = error_console()
    target, identity = load.target, source.identity()
    nonce = secrets.token_hex(8) if load.again or not source.resumable else ""
    seed = "\n".join((identity, load.dataset, load.choices.fingerprint(), nonce))
    path = state_file(
        state_folder(load.environ), identity, load.dataset, target.url, load.choices.fingerprint()
    )
    before = read_state(path) if load.resume and source.resumable else None
    reasons: list[Reject] = []
    failed: str | None = None
    state_kept = source.resumable

    def on_reject(reject: Reject) -> None:
        if len(reasons) < _REASONS_SHOWN:
            reasons.append(reject)
        if load.rejects is not None:
            line = {"line": reject.line, "reason": reject.reason}
            text = reject.source.decode("utf-8", "replace")
            load.rejects.write(orjson.dumps({**line, "source": text}) + b"\n")

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TextColumn("{task.fields[counts]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(escape(source.name), total=source.size_bytes, counts="")

        def on_progress(counts: Counts) -> None:
            text = f"{counts.accepted:,} stored, {counts.rejected:,} not"
            bar.update(task, completed=source.read_bytes, counts=text)
            nonlocal state_kept
            if state_kept:
                done = LoadState(source.name, counts.offset, counts.accepted, counts.rejected)
                try:
                    write_state(path, done)
                except OSError as error:  # the load itself needs no state
                    state_kept = False
                    text = f"--resume will not know this load: {path.parent}: {error.strerror}"
                    bar.console.print(text, style="yellow", markup=False, soft_wrap=True)

        async with connect(target) as client:
            sender = Sender(
                client, load.dataset, SystemClock(), random.Random(), on_reject, on_progress
            )
            skip_to = before.offset if before else 0
            try:
                await sender.send_all(_whole(batches(items, seed, skip_to), source))
            except (SendFailed, ClientError, SourceError) as error:
                failed = str(error)
            except asyncio.CancelledError:  # Ctrl-C
                _print_outcome(sender.progress, reasons, "interrupted", before, load, state_kept)
                raise
    _print_outcome(sender.progress, reasons, failed, before, load, state_kept)
    return 1 if failed or sender.progress.rejected else 0


def _whole(found: Iterator[Batch], source: Source) -> Iterator[Batch]:
    """The batches; a file that turns out to be damaged says so. Raises SourceError."""
    try:
        yield from found
    except DAMAGED as error:
        what = "cannot be read" if source.compression == "plain" else "damaged"
        raise SourceError(f"{source.name}: {what} {source.compression} data: {error}") from error


def _print_outcome(
    counts: Counts,
    reasons: list[Reject],
    failed: str | None,
    before: LoadState | None,
    load: _Load,
    resumable: bool,
) -> None:
    console = output_console(soft_wrap=True)
    if before is not None:
        console.print(f"resumed behind {before.accepted:,} events of an earlier run")
    console.print(f"{counts.accepted:,} events stored in {load.dataset}", markup=False)
    if counts.untimed:
        console.print(
            f"{counts.untimed:,} of them had no time of their own: stored at their arrival time"
        )
    if counts.rejected:
        console.print(f"{counts.rejected:,} not stored:", style="yellow")
        for reject in reasons:
            console.print(f"  line {reject.line}: {printable(reject.reason)}", markup=False)
        if counts.rejected > len(reasons) and load.rejects is None:
            console.print("  … --rejects FILE writes them all")
    if counts.retries:
        console.print(f"{counts.retries:,} requests were repeated (each stored once)")
    if failed:
        console.print(f"stopped: {failed}", style="red", markup=False)
        if resumable:
            console.print("the same command with --resume goes on from here")


def _print_preview(found: Preview, kind: str) -> None:
    from rich.markup import escape
    from rich.table import Table

    console = output_console()
    sources = [f"{n or 'arrival'} ({count:,})" for n, count in found.time_from.most_common()]
    console.print(
        f"format {kind}; {len(found.events):,} events looked at, {len(found.refused):,} refused; "
        f"time from: {', '.join(sources) or 'nothing'}; nothing was sent",
        markup=False,
    )
    timed = [e.time_ns for e in found.events if e.time_ns is not None]
    if timed:
        console.print(f"times from {format_rfc3339(min(timed))} to {format_rfc3339(max(timed))}")
    rates = {e.sample_rate for e in found.events}
    if rates - {1}:
        console.print(f"sample rates from {min(rates)} to {max(rates)}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("field", "type", "in events", "first value"):
        table.add_column(name, justify="right" if name == "in events" else "left", overflow="fold")
    for item in found.fields.values():
        types = ", ".join(kind for kind, _ in item.types.most_common())
        table.add_row(
            escape(printable(item.name)), types, f"{item.events:,}", escape(printable(item.example))
        )
    console.print(table)
    for refused in found.refused[:_REASONS_SHOWN]:
        text = printable(f"line {refused.line}: {refused.error}")
        console.print(text, style="yellow", markup=False)
