"""CSV, TSV and their kin: a row of names, then one event per row.

What stands above the names is passed over: blank lines, comments, and the `sep=;` of spreadsheets.
Files that name their columns in a comment (`#Fields:` of IIS and CloudFront, `#fields` of Zeek)
are read by it.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, BinaryIO

from bellwether.send.event import Members, Parsed, Reader, UnknownFormat
from bellwether.send.formats.tables.rows import Dialect, NotATable, Row, Rows, cut
from bellwether.send.lines import BOM
from bellwether.send.options import ReadOptions
from bellwether.send.prepare.values import ColumnTexts, typed

_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 100  # of the head, to detect the delimiter
_SEP = re.compile(r"sep=(.)", re.IGNORECASE)
_FIELDS = re.compile(r"#fields:?[ \t]+(.+)", re.IGNORECASE)
_NULL = ("\\N",)  # how Postgres, MySQL and Hive write that there is no value
_ABSENT = ("-", "(empty)")  # in files that name their columns in a comment


def reader_for(kind: str) -> Callable[[bytes, ReadOptions], Reader]:
    """What makes the reader of `csv` or `tsv`."""

    def make(head: bytes, options: ReadOptions) -> Reader:
        dialect = _dialect(head, "\t" if kind == "tsv" else None)
        _check(head, dialect, options)

        def read(stream: BinaryIO) -> Iterator[Parsed]:
            if b"\r" in head and b"\n" not in head:
                stream = io.BufferedReader(_LineFeeds(stream))
            return _read(Rows(stream, dialect), options)

        return read

    return make


def _check(head: bytes, dialect: Dialect, options: ReadOptions) -> None:
    """Tell before anything is sent that the columns' names are missing. Raises UnknownFormat."""
    begin = head[: head.rfind(b"\n") + 1]
    _header(iter(Rows(io.BytesIO(begin), dialect)), options)


def header_of(head: bytes, kind: str, options: ReadOptions) -> bytes:
    """What has to stand before rows of this table for them to be read without its beginning.
    Raises UnknownFormat.
    """
    named = next((line for line in _text_lines(head) if _FIELDS.fullmatch(line)), None)
    if columns_of(head) is not None and named is not None:
        return f"{named}\n".encode()
    if options.no_header and not options.columns:
        return b""
    dialect = _dialect(head, "\t" if kind == "tsv" else None)
    names, _ = _header(iter(Rows(io.BytesIO(head), dialect)), options)
    out = io.StringIO()
    csv.writer(out, delimiter=dialect.delimiter, lineterminator="\n").writerow(names or [])
    return f"sep={dialect.delimiter}\n{out.getvalue()}".encode() if names else b""


def columns_of(head: bytes) -> list[str] | None:
    """The columns that a comment at the file's beginning names, None if none does."""
    for line in _text_lines(head):
        found = _FIELDS.fullmatch(line)
        if found is not None:
            return found[1].split("\t" if "\t" in found[1] else None)
        if line and not line.startswith("#"):
            return None
    return None


def _text_lines(head: bytes) -> list[str]:
    text = head.removeprefix(BOM).decode("utf-8", "replace")
    return re.split(r"\r?\n", _with_line_feeds(text))[:_SAMPLE_LINES]


def _with_line_feeds(text: str) -> str:
    """The text of a file whose lines end with a carriage return alone, with line feeds."""
    return text if "\n" in text else text.replace("\r", "\n")


def _dialect(head: bytes, delimiter: str | None) -> Dialect:
    lines = [line for line in _text_lines(head) if line]
    if columns_of(head) is not None:
        named = next(line for line in lines if _FIELDS.fullmatch(line))
        return Dialect("\t" if "\t" in named else _of_values(lines), quotes=False)
    said = _SEP.fullmatch(lines[0]) if lines else None
    if said is not None:
        delimiter = said[1]
        lines = lines[1:]
    rows = [line for line in lines if not line.startswith("#")] or lines
    delimiter = delimiter or max(_DELIMITERS, key=lambda d: _fits(head, d))
    return Dialect(delimiter, escapes=_escapes(rows, delimiter))


def _of_values(lines: list[str]) -> str:
    """CloudFront names its columns with blanks between them, and its values with tabs."""
    values = [line for line in lines if not line.startswith("#")]
    return "\t" if values and "\t" in values[0] else " "


def _fits(head: bytes, delimiter: str) -> tuple[int, int]:
    """How many rows have as many values as most have, and how many values that are; one value
    fits no row.
    """
    if b"\n" not in head:
        head = head.replace(b"\r", b"\n")
    widths: Counter[int] = Counter()
    for row in islice(Rows(io.BytesIO(head), Dialect(delimiter)), _SAMPLE_LINES):
        if row.error is None and not row.source.startswith(b"#"):
            widths[len(row.values)] += 1
    widths.pop(1, None)
    width, count = max(widths.items(), key=lambda item: item[1], default=(0, 0))
    return count, width


def _escapes(lines: list[str], delimiter: str) -> bool:
    """Whether quotes in values are written with a backslash."""
    for line in lines:
        if '\\"' not in line:
            continue
        try:
            cut(line, Dialect(delimiter))
        except NotATable:
            try:
                cut(line, Dialect(delimiter, escapes=True))
            except NotATable:
                continue
            return True
    return False


def _read(rows: Rows, options: ReadOptions) -> Iterator[Parsed]:
    source = iter(rows)
    names, first = _header(source, options)
    if names is None:
        return
    rows.width = len(names)
    absent = () if rows.dialect.quotes else _ABSENT
    columns = _Columns(names, absent)
    if first is not None:
        yield columns.event(first)
    repeated = names if first is None else None
    for row in source:
        if not rows.dialect.quotes and row.source.startswith(b"#"):
            found = _FIELDS.fullmatch(row.source.decode("utf-8", "replace"))
            if found is not None:  # IIS names them anew after each start
                names = _distinct(found[1].split("\t" if "\t" in found[1] else None))
                rows.width = len(names)
                columns = _Columns(names, absent)
            continue
        if row.error is None and (not any(row.values) or row.values == repeated):
            continue  # a blank line; the names again, where files were joined
        yield columns.event(row)


def _header(rows: Iterator[Row], options: ReadOptions) -> tuple[list[str] | None, Row | None]:
    """The columns' names, and the first row if it is an event. Raises UnknownFormat."""
    for row in rows:
        text = row.source.removeprefix(BOM).decode("utf-8", "replace")
        named = _FIELDS.fullmatch(text)
        if named is not None:
            return _distinct(named[1].split("\t" if "\t" in named[1] else None)), None
        is_sep = row.line == 1 and _SEP.fullmatch(text)
        if is_sep or text.startswith("#") or (row.error is None and not any(row.values)):
            continue
        if row.error is not None:
            raise UnknownFormat(
                f"line {row.line}, which should name the columns, cannot be read: {row.error}"
            )
        names = [name.strip() for name in row.values]
        if options.columns:
            if len(names) != len(options.columns):
                raise UnknownFormat(
                    f"--columns names {len(options.columns)} columns, line {row.line} has "
                    f"{len(names)} values"
                )
            given = list(options.columns)
            return _distinct(given), None if names == given else row
        if options.no_header:
            return [f"column_{number}" for number in range(1, len(names) + 1)], row
        if not options.header and _is_data(names):
            raise UnknownFormat(
                f"line {row.line} should name the columns and looks like data "
                f"({text[:60]!r}): give their names with --columns a,b,c, say --no-header, or "
                "--header if these are the names"
            )
        return _distinct(names), None
    return None, None


def _is_data(names: list[str]) -> bool:
    """Whether a row that should name columns holds values: a number with a fraction, a time, an
    address, or mostly numbers.
    """
    values = [typed(name) for name in names]
    numbers = sum(isinstance(value, int | float) for value in values)
    return numbers * 2 > len(names) or any(_VALUE.fullmatch(name) for name in names)


_VALUE = re.compile(
    r"-?\d+\.\d+|\d{4}-\d\d-\d\d([T ].*)?|\d\d:\d\d(:\d\d.*)?|\d+(\.\d+){3}|\d{9,}|true|false",
    re.ASCII,
)


def _distinct(names: list[str]) -> list[str]:
    """Every column under a name of its own: the second `id` is `id_2`, one without a name is
    `column_3`.
    """
    given = set(names)
    taken: set[str] = set()
    found = []
    for number, name in enumerate(names, 1):
        name = name or f"column_{number}"
        count = 1
        chosen = name
        while chosen in taken or (count > 1 and chosen in given):
            count += 1
            chosen = f"{name}_{count}"
        taken.add(chosen)
        found.append(chosen)
    return found


class _Columns:
    """The columns of a table: from the cells of a row to an event."""

    def __init__(self, names: list[str], absent: tuple[str, ...]) -> None:
        self.names = names
        self._absent = absent
        self._texts = [ColumnTexts(name, absent or _NULL, len(names)) for name in names]

    def event(self, row: Row) -> Parsed:
        """The row as an event. Its values are given as texts, to find the time in."""
        line, end, source, values, error = row
        if error is not None:
            return Parsed(line, end, error=error, source=source)
        if len(values) != len(self.names):
            if len(values) < len(self.names) or any(values[len(self.names) :]):
                why = f"the row has {len(values)} values, the header {len(self.names)}"
                return Parsed(line, end, error=why, source=source)
            values = values[: len(self.names)]  # a delimiter at the end of the line
        try:
            parts = [texts[value] for texts, value in zip(self._texts, values, strict=True)]
        except ValueError as bad:
            return Parsed(line, end, error=str(bad), source=source)
        if b"" in parts:
            parts = [part for part in parts if part]
        data = b"{%b}" % b",".join(parts)
        members: Members = dict(zip(self.names, values, strict=True))
        if self._absent:
            members = {n: value for n, value in members.items() if value not in self._absent}
        return Parsed(line, end, data, None, None, None, source, members)


class _LineFeeds(io.RawIOBase):
    """A file whose lines end with a carriage return alone, as old spreadsheets write them."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._stream.read(len(buffer)).replace(b"\r", b"\n")
        buffer[: len(data)] = data
        return len(data)
