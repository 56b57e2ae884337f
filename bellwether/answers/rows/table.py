"""Events as a table: their time, then the most informative fields, in the width of the terminal.

Which fields those are, and how wide their columns, the first page decides; what has no room is
named under the table. In a pipe every field has room.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bellwether.answers.rows.cells import cut, is_number, one_line, padded, plain, width
from bellwether.answers.rows.pages import Event
from bellwether.output import printable

_CELL_MAX: Final = 60  # columns of a value where several fields share the terminal
_CELL_MIN: Final = 8
_GAP: Final = "  "
_NAMED_MAX: Final = 12  # fields that are named under the table
_TELLING: Final = (
    ("message", "msg", "error", "exception.message", "name", "log"),
    ("level", "severity", "status", "status_code", "http.status_code", "service", "service.name"),
    ("method", "path", "url", "route", "http.route", "duration_ms", "host", "user"),
)
_IDENTIFIER: Final = re.compile(r"[0-9a-fA-F-]{16,}")


@dataclass(frozen=True, slots=True)
class Column:
    """A field of the table, how wide, and whether its values stand at the right."""

    name: str
    columns: int
    right: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """The table's columns, and the fields of the first page that have none."""

    time_width: int
    shown: tuple[Column, ...]
    left_out: tuple[str, ...]
    with_rate: bool


def short_time(time: str) -> str:
    """An RFC 3339 time to the millisecond."""
    date, _, clock = time.rstrip("Z").partition("T")
    seconds, _, fraction = clock.partition(".")
    return f"{date} {seconds}.{fraction[:3]:0<3}Z"


def plan_layout(
    events: Sequence[Event], terminal: int, fields: Sequence[str] | None = None
) -> Layout:
    """What fits into so many columns. fields: exactly these, in this order, if they are given."""
    named = list(fields) if fields is not None else _ranked(events)
    with_rate = any(event.samplerate != 1 for event in events)
    time_width = max((width(short_time(event.time)) for event in events), default=4)
    left = terminal - time_width - (_rate_width(events) if with_rate else 0)
    shown: list[Column] = []
    left_out: list[str] = []
    for at, name in enumerate(named):
        values = [event.data.get(name) for event in events]
        head = width(printable(name))
        most = max(_CELL_MAX, head) if fields is None or at + 1 < len(named) else terminal
        texts = [width(one_line(plain(value), most)) for value in values]
        wanted = max(head, *texts) if texts else head
        room = left - len(_GAP)
        if wanted > room and (room < max(_CELL_MIN, head) or not _is_last_resort(shown, fields)):
            left_out.append(name)
            continue
        columns = min(wanted, room)
        shown.append(Column(name, columns, all(map(is_number, values))))
        left -= columns + len(_GAP)
    return Layout(time_width, tuple(shown), tuple(left_out), with_rate)


def _is_last_resort(shown: Sequence[Column], fields: Sequence[str] | None) -> bool:
    """Whether a column may be narrower than its values: if it was asked for, or is among the
    first.
    """
    return fields is not None or len(shown) < 3


def _rate_width(events: Sequence[Event]) -> int:
    return len(_GAP) + max(4, *(len(str(event.samplerate)) + 1 for event in events))


def heading(layout: Layout) -> str:
    """The names over the columns."""
    cells = [padded("time", layout.time_width, right=False)]
    if layout.with_rate:
        cells.append("rate")
    cells += [
        padded(cut(printable(c.name), c.columns), c.columns, right=c.right) for c in layout.shown
    ]
    return _GAP.join(cells).rstrip()


def line(event: Event, layout: Layout) -> str:
    """One event."""
    cells = [padded(short_time(event.time), layout.time_width, right=False)]
    if layout.with_rate:
        cells.append(padded(f"×{event.samplerate}", 4, right=False))
    for column in layout.shown:
        text = one_line(plain(event.data.get(column.name)), column.columns)
        cells.append(padded(text, column.columns, right=column.right))
    return _GAP.join(cells).rstrip()


def footing(layout: Layout) -> str:
    """Which fields have no column; empty if all have one."""
    if not layout.left_out:
        return ""
    named = [printable(name) for name in layout.left_out[:_NAMED_MAX]]
    more = len(layout.left_out) - len(named)
    listed = ", ".join(named) + (f" and {more:,} more" if more else "")
    fields = "field" if len(layout.left_out) == 1 else "fields"
    return f"{len(layout.left_out):,} {fields} not shown: {listed} (--fields NAMES, --tree, --json)"


def _ranked(events: Sequence[Event]) -> list[str]:
    """Every field: first those that hold a searched text, then the most informative ones."""
    held = {name for event in events for name in event.matches}
    counts: dict[str, int] = {}
    for event in events:
        for name in event.data:
            counts[name] = counts.get(name, 0) + 1

    def rank(name: str) -> tuple[bool, float, str]:
        return name not in held, -_worth(name, counts[name], events), name

    return sorted(counts, key=rank)


def _worth(name: str, count: int, events: Sequence[Event]) -> float:
    """How informative a column of the field is: how common, its name, and whether values differ."""
    worth = count / len(events)
    for at, names in enumerate(_TELLING):
        if name.lower() in names:
            worth += 1.0 - at / 4
    if len(events) > 1 and worth > 0.5:
        values = {bytes(event.data[name]) for event in events if name in event.data}
        if len(values) == 1:
            worth -= 0.6
        sample = plain(next(event.data[name] for event in events if name in event.data))
        if len(values) > len(events) // 2 and _IDENTIFIER.fullmatch(sample[:100]):
            worth -= 0.5
    return worth - 0.02 * name.count(".") - len(name) / 500
