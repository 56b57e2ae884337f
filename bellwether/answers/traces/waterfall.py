"""A trace as a waterfall: offset, duration, a bar, and the name, indented as in the tree.

Every line can be read without colour: `!` stands before what failed, `?` before what is not known.
"""

from dataclasses import dataclass
from typing import Final

from bellwether.answers.rows.cells import cut, one_line, plain
from bellwether.answers.traces.pages import Line
from bellwether.output import printable

_TIME: Final = 9  # columns of a duration
_BAR_SHARE: Final = 0.3  # of the terminal's width
_BAR_MIN, _BAR_MAX = 4, 60
_BAR_PLAIN: Final = 30  # where a program reads
_NAMES_MIN: Final = 12
_OTHERS: Final = 2 + 2 * (_TIME + 1) + 2  # columns of a line but for bar and name
_INDENT: Final = 2
_INDENT_SHARE: Final = 0.5  # of what names have: deeper spans tell their depth instead
_INDENT_MAX: Final = 80  # columns, also where a program reads
_VALUE_MAX: Final = 200  # characters of a field or message; --json has all of them
_FULL, _OPEN, _POINT = "█", "░", "•"
# of the offset and the end of what has not finished
_OPEN_NOTES: Final = {
    "inferred": ", began then at the latest",
    "announced": ", has not ended",
    "unknown": " whether it ended",
}
_UNITS: Final = ((3_600_000.0, "h"), (60_000.0, "min"), (1_000.0, "s"), (1.0, "ms"))


@dataclass(frozen=True, slots=True)
class Layout:
    """How wide what is.

    bar: columns of the bars.
    columns: of the whole line; None: nothing is cut.
    duration_ms: what the whole bar stands for.
    """

    bar: int
    columns: int | None
    duration_ms: float

    @property
    def names(self) -> int | None:
        """Columns left for names."""
        if self.columns is None:
            return None
        return max(self.columns - _OTHERS - self.bar, _NAMES_MIN)


def plan_layout(duration_ms: float, columns: int | None) -> Layout:
    """The layout for a terminal; columns is None where a program reads."""
    if columns is None:
        return Layout(_BAR_PLAIN, None, duration_ms)
    bar = min(int(columns * _BAR_SHARE), columns - _OTHERS - _NAMES_MIN, _BAR_MAX)
    return Layout(max(bar, _BAR_MIN), columns, duration_ms)


def heading(layout: Layout) -> str:
    """The names over the columns."""
    return f"  {'offset':>{_TIME}} {'duration':>{_TIME}} {'':<{layout.bar}}  name".rstrip()


def line_text(line: Line, layout: Layout) -> str:
    """One line of the waterfall."""
    mark = "!" if line.error else "?" if line.open is not None else " "
    length = "" if line.duration_ms is None else duration_text(line.duration_ms)
    begin = f"{mark} {duration_text(line.offset_ms):>{_TIME}} {length:>{_TIME}} "
    return f"{begin}{_bar(line, layout)}  {_name(line, layout)}".rstrip()


def duration_text(ms: float) -> str:
    """`1.234 s`, `12.3 ms`, `250 µs`, `42 ns`: four digits that count."""
    size = abs(ms)
    for unit_ms, unit in _UNITS:
        if size >= unit_ms:
            digits = ".4g" if size < 1e4 * unit_ms else ".0f"
            return f"{ms / unit_ms:{digits}} {unit}"
    if size >= 0.001:
        return f"{ms * 1e3:.4g} µs"
    return f"{ms * 1e6:.4g} ns" if ms else "0"


def _bar(line: Line, layout: Layout) -> str:
    whole = layout.duration_ms or 1.0
    begin = min(int(line.offset_ms / whole * layout.bar), layout.bar - 1)
    begin = max(begin, 0)
    if line.kind in ("event", "link"):
        return (" " * begin + _POINT).ljust(layout.bar)
    if line.duration_ms is None:
        return " " * begin + _OPEN * (layout.bar - begin)
    length = max(round(line.duration_ms / whole * layout.bar), 1)
    return (" " * begin + _FULL * min(length, layout.bar - begin)).ljust(layout.bar)


def _name(line: Line, layout: Layout) -> str:
    room = layout.names
    deepest = _INDENT_MAX if room is None else int(room * _INDENT_SHARE)
    indent = line.depth * _INDENT
    lead = " " * indent if indent <= deepest else f"{f'({line.depth:,} deep)':<{deepest}} "
    text = lead + "  ".join(part for part in (_title(line), *_notes(line), *_fields(line)) if part)
    return text if room is None else cut(text, room)


def _title(line: Line) -> str:
    name = one_line(line.name, _VALUE_MAX)
    service = f"[{printable(line.service)}]" if line.service else ""
    if line.kind == "missing":
        return f"(missing span {printable(line.span_id)})"
    if line.kind == "link":
        assert line.link is not None
        span = f" span {printable(line.link.span_id)}" if line.link.span_id else ""
        return f"link to trace {printable(line.link.trace_id)}{span}"
    if line.kind == "event":
        said = one_line(line.message, _VALUE_MAX)
        title = name if not said or said == name else f"{name}: {said}" if name else said
        return f"- {title or 'event'}  {service}".rstrip()
    return f"{name or printable(line.span_id)}  {service}".rstrip()


def _notes(line: Line) -> list[str]:
    notes: list[str] = []
    if line.error:
        notes.append("ERROR")
    if line.open is not None:
        known = "" if line.open.how == line.open.known_by else f" ({line.open.known_by})"
        notes.append(line.open.how + known + _OPEN_NOTES.get(line.open.known_by, ""))
    if line.outside_parent_ms:
        by = duration_text(abs(line.outside_parent_ms))
        side = "before its parent began" if line.outside_parent_ms < 0 else "after its parent ended"
        notes.append(f"clock? {by} {side}")
    notes += [mark.replace("_", " ") for mark in line.marks]
    return notes


def _fields(line: Line) -> list[str]:
    return [
        f"{printable(name)}={one_line(plain(value), _VALUE_MAX)}"
        for name, value in line.fields.items()
    ]
