"""One trace on standard output: a waterfall, or the JSON of the answer."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import click

from bellwether.answers.results.notes import coverage_text
from bellwether.answers.rows.table import short_time
from bellwether.answers.traces.pages import Answer, Page, pages, read_line, united
from bellwether.answers.traces.waterfall import (
    Layout,
    duration_text,
    heading,
    line_text,
    plan_layout,
)
from bellwether.client import Target
from bellwether.output import drawable, printable


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """How many lines are shown (`most`; None for all), and whether as JSON."""

    most: int | None
    as_json: bool


def show_trace(
    target: Target, trace_id: str, question: list[tuple[str, str]], options: ShowOptions
) -> None:
    """Request a trace and write it. Raises ClientError."""
    from bellwether.client.caller import calling

    with calling(target) as caller:
        answers = pages(caller, trace_id, question, options.most)
        if options.as_json:
            sys.stdout.write(united(list(answers)).decode() + "\n")
            return
        _write(answers)


def _write(answers: Iterable[Answer]) -> None:
    """The pages of a trace as a waterfall, each when it comes."""
    is_terminal = sys.stdout.isatty()
    columns = shutil.get_terminal_size().columns if is_terminal else None
    colour = is_terminal and not os.environ.get("NO_COLOR")
    layout: Layout | None = None
    shown, last = 0, None
    for answer in answers:
        last = answer.page
        if layout is None:
            layout = plan_layout(last.duration_ms, columns)
            for text in _summary(last):
                _print(text)
            if last.lines:
                _print(click.style(heading(layout), bold=True) if colour else heading(layout))
        for raw in last.lines:
            line = read_line(raw)
            text = drawable(line_text(line, layout))
            _print(click.style(text, fg="red") if colour and line.error else text)
        shown += len(last.lines)
    if last is not None:
        _end(last, shown, is_terminal)


def _summary(page: Page) -> list[str]:
    if not page.lines_in_all:
        return []
    services = ", ".join(f"{printable(name)} {count:,}" for name, count in page.services.items())
    facts = [
        f"{page.spans:,} span{'' if page.spans == 1 else 's'}",
        duration_text(page.duration_ms),
    ]
    if page.errors:
        facts.append(f"{page.errors:,} failed")
    if page.roots > 1:
        facts.append(f"{page.roots:,} roots")
    if page.missing:
        facts.append(f"{page.missing:,} missing")
    if page.outside_parent:
        facts.append(f"{page.outside_parent:,} outside of their parents by the clock")
    facts += [f"{count:,} {how}" for how, count in page.open.items()]
    found = [f"trace {printable(page.trace_id)}, {short_time(page.start)}: {', '.join(facts)}"]
    return [*found, f"services: {services}"] if services else found


def _end(page: Page, shown: int, is_terminal: bool) -> None:
    for title, linked in (page.links or {}).items():
        _print(f"links {title} this trace:" + ("" if linked else " none"))
        for one in linked:
            _print("  " + drawable(_linked_text(one)))
    if shown < page.lines_in_all:
        left = page.lines_in_all - shown
        click.echo(f"{left:,} more lines (-n, --all)", err=not is_terminal)
    for note in page.notes:
        click.echo(f"note: {printable(note)}", err=True)
    if not page.coverage.get("complete", True):
        click.echo(printable(coverage_text(page.coverage)), err=True)


def _linked_text(one: dict[str, Any]) -> str:
    parts = [f"trace {one['trace_id']}"]
    parts += [f"span {one['span_id']}"] if one.get("span_id") else []
    parts += [str(one["name"])] if one.get("name") else []
    parts += [f"[{one['service']}]"] if one.get("service") else []
    parts += [str(one["note"])] if one.get("note") else []
    return printable("  ".join(parts))


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
