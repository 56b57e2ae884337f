"""Prints an answer in the format that was asked for; what it has no place for goes to stderr."""

import sys
from datetime import UTC, tzinfo
from typing import Any

import click
import orjson

from bellwether.output import printable


def print_answer(
    document: dict[str, Any],
    breakdowns: list[str],
    form: str,
    *,
    series: bool = False,
    zone: tzinfo = UTC,
) -> None:
    """form: one of `formats.FORMATS`; json is the whole answer as it came. Raises ClickException
    for one that includes nothing.
    """
    if form == "json":
        click.echo(orjson.dumps(document).decode())
        return
    from bellwether.answers.results.notes import coverage_text, is_nothing, notes

    coverage = document.get("coverage") or {}
    if is_nothing(coverage):
        raise click.ClickException(f"no partition could be asked: {coverage_text(coverage)}")
    if form == "table":
        from bellwether.answers.results.view import print_result  # slow to import

        print_result(document, breakdowns, zone, series=series)
        return
    if form == "arrow":
        from bellwether.answers.results.arrow_stream import write_arrow

        out = sys.stdout.buffer
        if out.isatty():
            raise click.ClickException("an Arrow stream is no text: write it to a file or pipe")
        write_arrow(document, breakdowns, out, series=series)
    else:
        from bellwether.answers.results.formats import format_lines

        for line in format_lines(document, breakdowns, form, series=series):
            click.echo(line)
    for remark in notes(document):
        click.echo(printable(remark), err=True)
