"""Cuts a table's stream into rows: quotes, line breaks in values, and quotes that never close.

A row whose quote is not closed costs its own line and no other: the lines after it are read anew.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from bellwether.send.lines import BOM, LINE_BYTES_MAX, TOO_LONG

# A value of more lines than this is a quote that was not closed
_JOINED_LINES_MAX: Final = 10_000
# Bytes that are scanned again while a row's end is looked for; bounds the work on hostile files
_LOOKED_AT_MAX: Final = 16 * LINE_BYTES_MAX
NOT_CLOSED: Final = "a quote is opened in this line and never closed"
NOT_UTF8: Final = "the line is not valid UTF-8"
_OPEN: Final = "unexpected end of data"  # the csv module's error for a quote that is still open


class Dialect(NamedTuple):
    """How a table separates its values. escapes: a backslash stands before a quote in a value;
    quotes: whether values may be quoted at all.
    """

    delimiter: str = ","
    escapes: bool = False
    quotes: bool = True


class Row(NamedTuple):
    """One row, or why it is none. line: where it begins; end: offset after it; source: its text
    without the last line break.
    """

    line: int
    end: int
    source: bytes
    values: list[str]
    error: str | None = None


# An escape, or a backslash that escapes nothing (`C:\new`, `\N`) and stays, where the csv module
# would drop it
_BACKSLASH: Final = re.compile(r'\\(["\\\r\n]?)')

_Line = tuple[int, int, bytes | None]  # number, end, text; None for one that was too long


class NotATable(ValueError):
    """The text cannot be cut into values; `is_open`: because a quote is not closed in it."""

    def __init__(self, why: str, is_open: bool = False) -> None:
        super().__init__(why)
        self.is_open = is_open


def cut(text: str, dialect: Dialect) -> list[str]:
    """The values of one row, strictly. Raises NotATable."""
    if not dialect.quotes or '"' not in text:
        return _plain(text).split(dialect.delimiter)
    if dialect.escapes:
        text = _BACKSLASH.sub(lambda found: found[0] if found[1] else "\\\\", text)
    reader = csv.reader(
        [text],
        delimiter=dialect.delimiter,
        strict=True,
        escapechar="\\" if dialect.escapes else None,
    )
    try:
        return next(reader)
    except csv.Error as error:
        raise NotATable(f"not CSV: {error}", _OPEN in str(error)) from error


def _plain(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")


def cut_loosely(text: str, dialect: Dialect, width: int | None) -> list[str]:
    """The values of a line with quotes in wrong places (`1,"5" pipe`): a value that is not
    quoted as a whole stays as it stands. Raises NotATable unless that gives `width` values.
    """
    values = _plain(text).split(dialect.delimiter)
    if len(values) != width:
        raise NotATable("a quote stands in a wrong place")
    return [
        value[1:-1].replace('""', '"') if len(value) > 1 and value[0] == value[-1] == '"' else value
        for value in values
    ]


class Rows:
    """The rows of a stream. Set `width` once the number of columns is known."""

    def __init__(self, stream: BinaryIO, dialect: Dialect) -> None:
        csv.field_size_limit(LINE_BYTES_MAX)
        self._stream = stream
        self._number = self._end = 0
        self._again: deque[_Line] = deque()  # lines that are read once more
        self.dialect = dialect
        self.width: int | None = None

    def __iter__(self) -> Iterator[Row]:
        delimiter = self.dialect.delimiter
        while (line := self._next()) is not None:
            number, end, raw = line
            if raw is None or b'"' in raw or raw.startswith(BOM):
                yield self._row(line)
                continue
            source = raw[:-1] if raw.endswith(b"\n") else raw  # most lines, read quickly
            if source.endswith(b"\r"):
                source = source[:-1]
            try:
                yield Row(number, end, source, str(source, "utf-8").split(delimiter))
            except UnicodeDecodeError:
                yield Row(number, end, source, [], NOT_UTF8)

    def _next(self) -> "_Line | None":
        """The next line, with its line break; None at the end."""
        if self._again:
            return self._again.popleft()
        raw = self._stream.readline(LINE_BYTES_MAX + 1)
        if not raw:
            return None
        self._number += 1
        self._end += len(raw)
        if len(raw) <= LINE_BYTES_MAX or raw.endswith(b"\n"):
            return (self._number, self._end, raw)
        while raw and not raw.endswith(b"\n"):
            raw = self._stream.readline(LINE_BYTES_MAX)
            self._end += len(raw)
        return (self._number, self._end, None)

    def _row(self, line: _Line) -> Row:
        number, end, raw = line
        if raw is None:
            return Row(number, end, b"", [], TOO_LONG)
        source = raw.removesuffix(b"\n").removesuffix(b"\r")
        try:
            text = str(raw.removeprefix(BOM), "utf-8")
        except UnicodeDecodeError:
            return Row(number, end, source, [], NOT_UTF8)
        try:
            return Row(number, end, source, cut(text, self.dialect))
        except NotATable as error:
            if error.is_open:
                return self._joined(line, text, source)
            try:
                return Row(number, end, source, cut_loosely(text, self.dialect, self.width))
            except NotATable:
                return Row(number, end, source, [], str(error))

    def _joined(self, first: _Line, text: str, source: bytes) -> Row:
        """A row over several lines, or the first line refused and the others read anew."""
        taken: list[_Line] = []
        texts, raws = [text], [first[2] or b""]
        size, looked_at = len(text), 0
        while True:
            line = self._next()
            if line is not None:
                taken.append(line)
            if line is None or line[2] is None or len(taken) > _JOINED_LINES_MAX:
                break
            raws.append(line[2])
            size += len(line[2])
            if size > LINE_BYTES_MAX or looked_at > _LOOKED_AT_MAX:
                break
            try:
                texts.append(str(line[2], "utf-8"))
            except UnicodeDecodeError:
                break
            if '"' not in texts[-1].replace('""', ""):
                continue
            looked_at += size
            try:
                values = cut("".join(texts), self.dialect)
            except NotATable as error:
                if error.is_open:
                    continue
                break
            whole = b"".join(raws).removesuffix(b"\n").removesuffix(b"\r")
            return Row(first[0], line[1], whole, values)
        self._again.extendleft(reversed(taken))
        return Row(first[0], first[1], source, [], NOT_CLOSED)
