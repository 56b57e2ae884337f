"""Events on standard output: as a table, trees, JSON lines or CSV, page by page.

Everything that is not an event (progress, notes, what is missing) goes to standard error where a
program may read standard output.
"""

import contextlib
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import click

from bellwether.answers.rows import csv_lines, table
from bellwether.answers.rows.empty import why_empty
from bellwether.answers.rows.pages import Event, Page, event_of, pages
from bellwether.answers.rows.tree import tree_lines
from bellwether.client import Target
from bellwether.output import drawable, printable

_PIPE_WIDTH: Final = 100_000  # what a program reads is never cut


class Form(StrEnum):
    """How events are written."""

    TABLE = "table"
    TREE = "tree"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """How many events are shown (`most`), which fields, in which form; None for all."""

    form: Form
    most: int | None
    fields: tuple[str, ...] | None = None


def show_events(target: Target, dataset: str, spec: dict[str, Any], options: ShowOptions) -> None:
    """Request the events of a specification and write them. Raises ClientError."""
    from bellwether.client.caller import calling

    body = {"dataset": dataset, **spec}
    if options.fields is not None:
        body["fields"] = list(options.fields)
    with calling(target) as caller:
        writer = _EventWriter(options)
        for page in writer.with_progress(pages(caller, body, options.most)):
            writer.first = writer.first or page
            writer.last = page
            writer.write(page)
        writer.end()
        if not writer.events and writer.first is not None:
            for line in why_empty(caller, body, writer.first):
                click.echo(line, err=True)


class _EventWriter:
    """Writes pages of events, and what follows them."""

    def __init__(self, options: ShowOptions) -> None:
        self._options = options
        self._layout: table.Layout | None = None
        self._spool = csv_lines.Spool()
        self._notes: dict[str, None] = {}
        self._shows_progress = sys.stderr.isatty()
        self.events = 0
        self.first: Page | None = None
        self.last: Page | None = None

    def with_progress(self, found: Iterator[Page]) -> Iterator[Page]:
        """The pages, with progress on a terminal while there are several."""
        for page in found:
            yield page
            if page.next is not None and self._shows_progress and not sys.stdout.isatty():
                click.echo(f"\r{self.events:,} events ", nl=False, err=True)

    def write(self, page: Page) -> None:
        """The events of one page."""
        form, fields = self._options.form, self._options.fields
        self._notes.update(dict.fromkeys(page.notes))
        if not page.coverage.get("complete"):
            self._notes[missing_text(page.coverage)] = None
        if form is Form.JSON:
            _print("".join(bytes(row).decode() + "\n" for row in page.rows))
        elif form is Form.CSV and fields is None:
            for row in page.rows:
                self._spool.add(row)
        else:
            self._write_events([event_of(row) for row in page.rows])
        self.events += len(page.rows)

    def _write_events(self, events: list[Event]) -> None:
        form, fields = self._options.form, self._options.fields
        if form is Form.CSV:
            assert fields is not None
            head = "" if self.events else csv_lines.header(fields)
            _print(head + "".join(csv_lines.line(event, fields) for event in events))
        elif form is Form.TREE:
            for at, event in enumerate(events):
                _print(
                    ("\n" if at or self.events else "")
                    + drawable("\n".join(tree_lines(event)))
                    + "\n"
                )
        elif events:
            self._write_table(events)

    def _write_table(self, events: list[Event]) -> None:
        if self._layout is None:
            is_terminal = sys.stdout.isatty()
            columns = shutil.get_terminal_size().columns if is_terminal else _PIPE_WIDTH
            self._layout = table.plan_layout(events, columns, self._options.fields)
            head = table.heading(self._layout)
            _print((click.style(head, bold=True) if is_terminal else head) + "\n")
        layout = self._layout
        _print(drawable("".join(table.line(event, layout) + "\n" for event in events)))

    def end(self) -> None:
        """What follows the events."""
        form = self._options.form
        if form is Form.CSV and self._options.fields is None:
            for line in self._spool.lines():
                _print(line)
        if self._shows_progress and not sys.stdout.isatty() and self.events:
            click.echo(f"\r{self.events:,} events ", err=True)
        if form is Form.TABLE and self._layout is not None:
            if footing := table.footing(self._layout):
                click.echo(footing, err=not sys.stdout.isatty())
            self._print_more()
        for note in self._notes:
            click.echo(printable(note), err=True)

    def _print_more(self) -> None:
        last, first = self.last, self.first
        if last is None or first is None:
            return
        if last.next is not None:
            since = table.short_time(first.start)
            more = f"{self.events:,} events; there are more since {since} (-n, --all)"
            click.echo(more, err=not sys.stdout.isatty())


def missing_text(coverage: dict[str, Any]) -> str:
    """What an answer lacks, in one line."""
    partitions = coverage.get("partitions") or []
    short = [p for p in partitions if not p.get("complete")]
    reasons = dict.fromkeys(str(p["reason"]) for p in short if p.get("reason"))
    if coverage.get("reason"):
        reasons[str(coverage["reason"])] = None
    why = f" ({'; '.join(reasons)})" if reasons else ""
    return f"INCOMPLETE: {len(partitions) - len(short)} of {len(partitions)} partitions{why}"


def _print(text: str) -> None:
    sys.stdout.write(text)
    with contextlib.suppress(AttributeError):
        sys.stdout.flush()
