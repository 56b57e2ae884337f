"""Detects the format of a file by its content; its name is a hint only.

Every format reads the lines of the file's beginning strictly, and is chosen where it reads nearly
all of them. Where none does, the file is refused (or, in a terminal, the format is asked for) with
the first lines and what each format would make of them.
"""

import io
import re
from collections.abc import Callable
from itertools import islice
from typing import Final, NamedTuple

import orjson

from bellwether.send.event import UnknownFormat
from bellwether.send.formats.registry import NAMES, format_named
from bellwether.send.formats.sample import Sample, sample_of, why_not_text
from bellwether.send.formats.tables.sample import find_table, headerless_width, rows_without_names
from bellwether.send.formats.text.continuation import StackTraces
from bellwether.send.options import ReadOptions

_LINES_SHOWN: Final = 3
_CHARS_SHOWN: Final = 110
_POSSIBLE: Final = 0.05  # a format that reads fewer of the lines is not worth showing
_RIVAL: Final = 0.2  # where another format reads this share of the lines, text is not sure
# the beginning of a document over several lines; `[` alone also begins a log's date
_DOCUMENT = re.compile(r"\x1e?\s*(?:\{\s*(?:\"|\}|$)|\[\s*(?:[\[{\"\]]|$))")


class Rule(NamedTuple):
    """A format is sure where it reads at least this share of the lines.

    joins: lines of stack traces count for nothing, neither for nor against it.
    """

    name: str
    share: float
    joins: bool
    why: str


# In this order: what is stricter comes first.
RULES: Final = (
    Rule("json", 0.75, False, "braces and quotes that are JSON are nothing else"),
    Rule("combined", 0.75, False, "a date in brackets, a quoted request, status and bytes"),
    Rule("apache_error", 0.75, True, "a date in brackets and a level of Apache's"),
    Rule("nginx_error", 0.75, True, "a date, [level] and pid#tid"),
    Rule("syslog", 0.75, True, "a priority, or a time, a host and a program"),
    Rule("table", 0.9, False, "names, then rows of as many values; before logs that have a time"),
    Rule("logfmt", 0.8, False, "it makes fields of words, so it must be nearly every line"),
    # it loses nothing: a line without a time is stored as a message
    Rule("text", 0.5, True, "a time at the beginning of the line"),
)


class FormatReading(NamedTuple):
    """How many lines a format reads, and its reading of the first of them."""

    name: str
    read: int
    of: int
    example: str

    @property
    def share(self) -> float:
        return self.read / self.of if self.of else 0.0


class Detected(NamedTuple):
    """The format, and why it is that one."""

    name: str
    why: str


class NotSure(UnknownFormat):
    """No format is sure. `candidates`: those that read some of the lines, the best first."""

    def __init__(self, text: str, candidates: tuple[str, ...]) -> None:
        super().__init__(text)
        self.candidates = candidates


def detect(head: bytes, name: str) -> str:
    """The format of a file by its beginning. Raises UnknownFormat, NotSure among them."""
    return detect_with_reason(head, name).name


def detect_with_reason(head: bytes, name: str) -> Detected:
    """The format of a file by its beginning, and why. Raises UnknownFormat, NotSure among them."""
    problem = why_not_text(head)
    if problem is not None:
        raise UnknownFormat(f"{name}: {problem}")
    sample = sample_of(head, name)
    if not sample.lines:
        return Detected("json", "the file is empty")
    readings = []
    for rule in RULES:
        reading = _read(rule, sample)
        if reading is None:
            continue
        readings.append(reading)
        if rule.name == "text" and headerless_width(sample):
            rows = FormatReading("csv", 0, len(sample.lines), "rows, but no names of columns")
            readings.append(rows)
            break  # --no-header or --columns, or text: the user knows
        if rule.name == "text" and any(r.share >= _RIVAL for r in readings[:-1]):
            break  # a stricter format reads some of the lines, which text reads too, but less well
        if reading.share >= rule.share:
            return Detected(reading.name, f"{reading.read:,} of {reading.of:,} lines: {rule.why}")
    if _DOCUMENT.match(sample.lines[0]):
        return Detected("json", "it begins with a JSON document")
    if sample.hint in NAMES:
        return Detected(sample.hint, "as its name says")
    raise _not_sure(sample, name, readings)


def _read(rule: Rule, sample: Sample) -> FormatReading | None:
    if rule.name == "table":
        table = find_table(sample)
        if table is None:
            return None
        shown = ", ".join(table.names[:8])
        return FormatReading(table.kind, table.read, table.rows, f"columns {shown}")
    looks_like: Callable[[str], bool] | None = (
        _is_json if rule.name == "json" else format_named(rule.name).looks_like
    )
    if looks_like is None:
        return None
    read = of = 0
    first = ""
    going_on = StackTraces(looks_like)
    for line in sample.lines:
        if looks_like(line):
            read += 1
            first = first or line
            going_on.begin(line)
        elif rule.joins and read and going_on.continues(line):
            continue
        of += 1
    return FormatReading(rule.name, read, of, _made_of(rule.name, first) if first else "")


def _is_json(line: str) -> bool:
    line = line.strip("\x1e \t")
    if not line.startswith(("{", "[")):
        return False
    try:
        return isinstance(orjson.loads(line), dict | list)
    except orjson.JSONDecodeError:
        return False


def _made_of(name: str, line: str) -> str:
    """A format's reading of one line, in short."""
    stream = io.BytesIO(line.encode("utf-8", "replace") + b"\n")
    reader = format_named(name).reader_for(b"", ReadOptions())
    item = next(islice(reader(stream), 1), None)
    if item is None or item.error is not None:
        return ""
    parts = [] if item.time is None else [f"time={item.time}"]
    parts += [f"{field}={value}" for field, value in (item.members or {}).items()]
    return _short("  ".join(parts))


def _short(text: str) -> str:
    text = text.replace("\t", "    ")
    return text if len(text) <= _CHARS_SHOWN else f"{text[: _CHARS_SHOWN - 3]}..."


def _not_sure(sample: Sample, name: str, readings: list[FormatReading]) -> NotSure:
    possible = sorted(
        (reading for reading in readings if reading.share >= _POSSIBLE),
        key=lambda reading: -reading.share,
    )
    width = rows_without_names(sample)
    if width and not any(reading.name in ("csv", "tsv") for reading in possible):
        shown = f"{width} columns without names: --columns a,b or --no-header"
        possible.append(FormatReading("csv", 0, len(sample.lines), shown))
    if not any(reading.name == "text" for reading in possible):
        first = _made_of("text", sample.lines[0])
        possible.append(FormatReading("text", 0, len(sample.lines), f"{first} (no time)"))
    lines = [f"cannot tell the format of {name}. It begins with"]
    lines += [f"  {_short(line)}" for line in sample.lines[:_LINES_SHOWN]]
    lines.append("What the formats make of it:")
    for reading in possible:
        count = f"{reading.read:,} of {reading.of:,} lines"
        lines.append(f"  {reading.name:8} {count}: {reading.example}")
    lines.append(
        f"Say which with --format ({', '.join(NAMES)}), or give a regular expression with named "
        "groups: --pattern. --format text keeps each line in `message`; lines without a time "
        "of their own are stored at their arrival."
    )
    return NotSure("\n".join(lines), tuple(reading.name for reading in possible))
