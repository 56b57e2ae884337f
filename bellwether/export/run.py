"""Fetches the events of a question, page by page, and writes them as one file."""

import sys
from typing import Any

import click

from bellwether.answers.rows.pages import pages
from bellwether.answers.rows.show import missing_text
from bellwether.client import ClientError, Target
from bellwether.client.caller import calling
from bellwether.export.layout import Layout
from bellwether.export.spool import Spool
from bellwether.export.target_file import FileFormat, TargetFile, written_whole
from bellwether.output import printable


def export_events(
    target: Target, question: dict[str, Any], file: TargetFile, *, accept_incomplete: bool
) -> None:
    """Write the file. Raises ClientError, also where events are missing, unless that is accepted.

    question: the body of `POST /bw/1/rows`.
    """
    notes: dict[str, None] = {}
    with Spool() as spool:
        with calling(target) as caller:
            for page in pages(caller, question, None):
                if not page.coverage.get("complete"):
                    lacking = missing_text(page.coverage)
                    if not accept_incomplete:
                        raise ClientError(
                            f"{lacking}; no file is written: repeat it later, or take what there "
                            "is with --accept-incomplete"
                        )
                    notes[lacking] = None
                notes.update(dict.fromkeys(page.notes))
                for row in page.rows:
                    spool.add(row)
                _progress(spool.events)
        layout = spool.seen.layout(typed=file.format.is_typed)
        with written_whole(file.path) as unfinished:
            _write(TargetFile(unfinished, file.format, file.compression), layout, spool)
    _progress(spool.events, end=True)
    columns = len(layout.columns) + 2
    click.echo(f"{spool.events:,} events, {columns:,} columns in {file.path}", err=True)
    for column in layout.renamed:
        kinds = ", ".join(sorted(column.kinds))
        text = f"column {column.name!r} holds the {kinds} values of field {column.field!r}"
        click.echo(printable(text), err=True)
    for note in notes:
        click.echo(printable(note), err=True)


def _write(file: TargetFile, layout: Layout, spool: Spool) -> None:
    from bellwether.export import text_files

    if file.format is FileFormat.CSV:
        text_files.write_csv(file.path, file.compression, layout, spool.read())
    elif file.format is FileFormat.NDJSON:
        text_files.write_ndjson(file.path, file.compression, layout, spool.read())
    else:
        from bellwether.export import table_files  # the client alone has no pyarrow

        if file.format is FileFormat.PARQUET:
            table_files.write_parquet(file.path, layout, spool.read())
        else:
            table_files.write_arrow(file.path, layout, spool.read())


def _progress(events: int, *, end: bool = False) -> None:
    if sys.stderr.isatty():
        click.echo("\r" if end else f"\r{events:,} events ", nl=False, err=True)
