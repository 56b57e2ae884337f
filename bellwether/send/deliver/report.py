"""Prints the outcome of a load, and the preview of a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bellwether.output import output_console, printable
from bellwether.send.load import Load
from bellwether.send.prepare.prepare import LOAD_FIELD
from bellwether.send.preview import Preview
from common.model.times.api import format_rfc3339

if TYPE_CHECKING:
    from bellwether.send.deliver.sender import Progress, Reject

_REASONS_SHOWN = 5


@dataclass(slots=True)
class Outcome:
    """The outcome of a load.

    damage: why the file could not be read to its end.
    failed: why the load stopped.
    state_kept: --resume can go on from here.
    state_error: why --resume cannot.
    """

    reasons: list[Reject] = field(default_factory=list)
    unfinished: Reject | None = None
    damage: str | None = None
    failed: str | None = None
    state_kept: bool = False
    state_error: str | None = None
    rejects_written: bool = False

    def add(self, reject: Reject) -> None:
        """Something was not stored."""
        if reject.unfinished:
            self.unfinished = reject
        elif len(self.reasons) < _REASONS_SHOWN:
            self.reasons.append(reject)

    def exit_code(self, load: Load, counts: Progress) -> int:
        """1 if anything was not stored, or nothing was found."""
        lost = counts.rejected or self.damage or self.failed
        if self.unfinished is not None and not load.options.resume:
            return 1
        return 1 if lost or _is_nothing(load, counts) else 0


def _is_nothing(load: Load, counts: Progress) -> bool:
    """Whether the file has not one event, read or not."""
    return not (counts.accepted or counts.rejected or counts.unfinished or load.before)


def print_outcome(load: Load, counts: Progress, outcome: Outcome) -> None:
    """Print what was stored and what was not, and the remedies."""
    console = output_console(soft_wrap=True)
    options, before = load.options, load.before

    def line(text: str, style: str = "") -> None:
        console.print(text, style=style or None, markup=False)

    if before is not None:
        line(f"resumed behind {before.accepted:,} events of an earlier load of this file")
    elif options.resume:
        known = "one of a file that begins like it, not" if load.is_other else "no load"
        line(f"{known} of this file is known here: read from its beginning")
    line(f"{counts.accepted:,} events stored in {options.dataset}")
    if not counts.accepted and before is not None and not counts.rejected:
        line("nothing was added to the file since then")
    elif _is_nothing(load, counts):
        empty = load.source.prefix.length == 0
        line(f"{load.source.name} {'is empty' if empty else 'has no events'}: nothing was stored")
    if counts.untimed:
        line(f"{counts.untimed:,} of them had no time of their own: stored at their arrival time")
        if counts.untimed == counts.accepted and not options.choices.times.fields:
            line("  --time-field NAME says which field has it, if one does (nested: with --depth)")
    if counts.rejected:
        line(f"{counts.rejected:,} not stored:", "yellow")
        for reject in outcome.reasons:
            line(f"  line {reject.line}: {printable(reject.reason)}")
        if counts.rejected > len(outcome.reasons) and not outcome.rejects_written:
            line("  … --rejects FILE writes them all")
    if outcome.unfinished is not None:
        _print_unfinished(line, load, outcome)
    if counts.retries:
        line(f"{counts.retries:,} requests were repeated (each stored once)")
    if load.load_id is not None and counts.accepted:
        name = load.load_id.replace("\\", "\\\\").replace("'", "\\'")
        line(f"load {load.load_id}: to leave it out of a question, WHERE {LOAD_FIELD} != '{name}'")
    if outcome.damage:
        line(f"stopped: {outcome.damage}; what can be read before that was stored", "red")
    if outcome.failed:
        line(f"stopped: {outcome.failed}", "red")
    if outcome.state_error:
        line(f"--resume will not know this load: {outcome.state_error}", "yellow")
    elif outcome.failed and outcome.state_kept:
        line("the same command with --resume goes on from here")


def _print_unfinished(line: Callable[..., None], load: Load, outcome: Outcome) -> None:
    last = outcome.unfinished
    assert last is not None
    line(f"line {last.line} was not stored: {printable(last.reason)}", "yellow")
    if outcome.damage is None:
        line("  --resume reads it when it is whole, --finished says that it is")


def print_preview(found: Preview, kind: str) -> None:
    """Show how the first events of a file would be stored."""
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
