"""`bellwether shell`: questions one after another, from a terminal or a file."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from bellwether.client import Target
from bellwether.commands.operate.zones import chosen_zone
from bellwether.options.completion import complete_dataset
from bellwether.options.shared import client_options
from common.clock import SystemClock

if TYPE_CHECKING:
    from bellwether.shell.session import Shell

_SCRIPT_BYTES_MAX = 4 * 1024 * 1024  # questions; a data file given by mistake is refused


@click.command()
@click.argument("dataset", required=False, shell_complete=complete_dataset)
@click.option(
    "--zone",
    help="Of times without one, and of the times shown: Europe/Berlin, +02:00 "
    "(default: TZ, else UTC).",
)
@client_options
def shell(target: Target, dataset: str | None, zone: str | None) -> None:
    """Ask one question after another, of DATASET or of what `\\use` chooses.

    On a terminal with history and completion; `\\help` lists its commands. Questions can also come
    from a file; the exit code is 1 if one of them could not be answered:

    \b
        bellwether shell web < questions.txt
    """
    from bellwether.client.caller import calling
    from bellwether.shell.completion_names import CompletionNames
    from bellwether.shell.session import Shell

    clock = SystemClock()
    names = CompletionNames(target, clock)
    with calling(target) as caller:
        caller.json("GET", "/1/auth")  # wrong keys and addresses fail before anything is typed
        session = Shell(target, caller, clock, chosen_zone(zone, os.environ))
        if dataset and not session.use(dataset):
            sys.exit(1)
        if sys.stdin is None or not sys.stdin.isatty():
            sys.exit(_run_script(session))
        from bellwether.shell.terminal import interact

        interact(session, names)


def _run_script(session: Shell) -> int:
    from bellwether.shell.session import Ended
    from bellwether.shell.statements import split_statements

    raw = b"" if sys.stdin is None else sys.stdin.buffer.read(_SCRIPT_BYTES_MAX + 1)
    if len(raw) > _SCRIPT_BYTES_MAX:
        raise click.UsageError("this is too long for questions: `bellwether send` loads data")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise click.UsageError(f"line {line} of the questions is not UTF-8") from error
    failed = 0
    try:
        for statement in split_statements(text):
            if not session.execute(statement):
                click.echo(f"(line {statement.line})", err=True)
                failed += 1
    except Ended:
        pass
    return 1 if failed else 0
