"""`bellwether send`: load a file.

What talks to a server, and what draws, is imported where it is needed: help and `--dry-run` are
there at once.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import IO

import click

from bellwether.client import Target
from bellwether.options.completion import complete_dataset
from bellwether.options.shared import client_options, run_async
from bellwether.send.choose import AUTO, AskFormat, choose_format, named_format
from bellwether.send.deliver.report import print_preview
from bellwether.send.deliver.run import run
from bellwether.send.event import UnknownFormat
from bellwether.send.files.resume import state_folder
from bellwether.send.files.source import Source, SourceError, open_source
from bellwether.send.follow.follower import FollowOptions
from bellwether.send.follow.run import follow as follow_log
from bellwether.send.follow.run import refuse_with_follow
from bellwether.send.formats.registry import FORMATS, NAMES
from bellwether.send.load import LoadOptions, LoadRefused, begin, parsed_of
from bellwether.send.options import ReadOptions
from bellwether.send.prepare.own_time import TimeChoices
from bellwether.send.prepare.prepare import Choices, prepare
from bellwether.send.preview import preview
from common.clock import SystemClock


@click.command()
@click.argument("dataset", shell_complete=complete_dataset)
@click.argument("file")
@click.option(
    "--format",
    "kind",
    type=click.Choice((AUTO, *NAMES)),
    help="Default: auto, found out by the content. "
    + "; ".join(f"{known.name}: {known.help}" for known in FORMATS),
)
@click.option(
    "--pattern",
    metavar="REGEX",
    help="Read lines by a regular expression; its named groups become fields, the group `time` "
    r"the event's time: '(?P<time>\S+) (?P<level>\w+) (?P<message>.*)'",
)
@click.option(
    "--continuation",
    metavar="REGEX",
    help="Lines in which this is found go on with the line before (formats of lines; text knows "
    r"the usual stack traces by itself): '^\s|^Caused by:'",
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
@click.option(
    "--finished",
    is_flag=True,
    help="Nobody writes to FILE any more: its last line is whole, also without a line break.",
)
@click.option(
    "--skip-bad", is_flag=True, help="Go on where most of the first rows cannot be read or stored."
)
@click.option(
    "--add",
    "added",
    multiple=True,
    metavar="NAME=VALUE",
    help="A field that every event gets that has none of this name: host=web-1. May be repeated.",
)
@click.option(
    "--follow",
    is_flag=True,
    help="Go on as FILE is written to, over rotations and restarts, until stopped.",
)
@click.option("--from-end", is_flag=True, help="With --follow: leave out what FILE holds already.")
@click.option("--load-id", metavar="NAME", help="What meta.load_id holds (default: made of FILE).")
@click.option("--no-load-id", is_flag=True, help="Add no meta.load_id to the events.")
@click.option("--rejects", type=click.File("wb"), help="Write what was not stored to this file.")
@client_options
def send(
    target: Target,
    dataset: str,
    file: str,
    kind: str | None,
    pattern: str | None,
    continuation: str | None,
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
    finished: bool,
    skip_bad: bool,
    added: tuple[str, ...],
    follow: bool,
    from_end: bool,
    load_id: str | None,
    no_load_id: bool,
    rejects: IO[bytes] | None,
) -> None:
    """Load FILE (- for standard input) into DATASET.

    Reads JSON, CSV, logfmt, access and error logs, syslog and other logs as text, plain or
    compressed (gzip, zstd, bz2, xz). Sending the same file twice stores it once (--again stores
    it anew). The exit code is 1 if anything was not stored.
    """
    clock = SystemClock()

    def now_s() -> float:
        return clock.now_ns() / 1e9

    def open_file() -> Source:
        return open_source(file, now_s(), finished)

    try:
        if load_id is not None and no_load_id:
            raise ValueError("--load-id and --no-load-id exclude each other")
        options = ReadOptions(no_header, header, _split_columns(columns), pattern, continuation)
        if len(time_fields) > 2:
            raise ValueError("--time-field can be given once, or twice for a date and a time")
        times = TimeChoices(time_fields, time_format, zone, arrival_time)
        choices = Choices(times, sample_rate_field, depth, options, _added(added))
        if from_end and not follow:
            raise ValueError("--from-end is for --follow")
        if follow:
            refuse_with_follow(file, resume=resume, again=again, dry_run=dry_run)
            path = Path(file)

            def options_of(key: str) -> FollowOptions:
                name = None if no_load_id else load_id or key
                return FollowOptions(path.absolute(), choices, name, skip_bad, from_end)

            kind, folder = named_format(kind, options), state_folder(os.environ)
            sys.exit(follow_log(path, dataset, target, options_of, kind, folder, rejects, now_s))
        source = open_file()
        kind, why = choose_format(source.head, file, kind, options, _format_prompt(file))
        load_options = LoadOptions(
            dataset, target.url, kind, choices, resume, again, skip_bad, load_id, no_load_id
        )
        if dry_run:
            ready = prepare(parsed_of(source, load_options), choices, clock.now_ns())
            print_preview(preview(ready), f"{kind} ({why})")
            return
        load = begin(source, load_options, os.environ, open_file, now_s, _nonce)
    except (ValueError, SourceError, UnknownFormat, LoadRefused) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(run_async(run(load, target, rejects)))


def _nonce() -> str:
    return secrets.token_hex(8)


def _split_columns(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",")) if text else ()


def _added(texts: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The fields that `--add` names. Raises ValueError."""
    found = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ValueError(f"--add {text!r} is no NAME=VALUE")
        found.append((name.strip(), value))
    return tuple(found)


def _format_prompt(file: str) -> AskFormat | None:
    """A prompt for the format; None where standard input and error are no terminal."""
    if file == "-" or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    def prompt(text: str, candidates: tuple[str, ...]) -> str:
        click.echo(text, err=True)
        chosen: str = click.prompt("Format (Ctrl-C to stop)", type=click.Choice(NAMES), err=True)
        return chosen

    return prompt
