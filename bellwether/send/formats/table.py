"""CSV and TSV: the first row names the fields, every other row is an event."""

import csv
from collections.abc import Callable, Iterator
from typing import BinaryIO

from bellwether.send.event import Parsed, Reader
from bellwether.send.lines import LINE_BYTES_MAX, lines
from bellwether.send.options import ReadOptions
from bellwether.send.values import typed


def reader_for(kind: str) -> Callable[[bytes, ReadOptions], Reader]:
    """What makes the reader of `csv` or `tsv`."""

    def make(head: bytes, options: ReadOptions) -> Reader:
        delimiter = "\t" if kind == "tsv" else _delimiter(head)
        return lambda stream: _read(stream, delimiter)

    return make


def _delimiter(head: bytes) -> str:
    first = head.split(b"\n", 1)[0]
    return max(",;|\t", key=lambda d: first.count(d.encode()))


class _Rows:
    """Feeds lines to the csv module and remembers how far it has read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._lines = lines(stream)
        self.number = 0
        self.end = 0
        self.taken: list[bytes] = []
        self.too_long = False

    def __iter__(self) -> "_Rows":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number, self.end = line.number, line.end
        self.too_long = self.too_long or line.data is None
        data = line.data or b""
        self.taken.append(data)
        coding = "utf-8-sig" if line.number == 1 else "utf-8"
        return data.decode(coding, "surrogateescape") + "\n"


def _read(stream: BinaryIO, delimiter: str) -> Iterator[Parsed]:
    """One event per row; the first row names the fields."""
    csv.field_size_limit(LINE_BYTES_MAX)
    rows = _Rows(stream)
    table = csv.reader(rows, delimiter=delimiter)
    header: list[str] | None = None
    while True:
        rows.taken.clear()
        rows.too_long = False
        begin = rows.number + 1
        try:
            row = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            yield Parsed(begin, rows.end, error=f"not CSV: {error}", source=b"\n".join(rows.taken))
            continue
        if header is None:
            header = [name.strip() for name in row]
            continue
        if not any(row):
            continue
        source = b"\n".join(rows.taken)
        if rows.too_long:
            yield Parsed(begin, rows.end, error="the row is too long")
        elif len(row) != len(header):
            error_text = f"the row has {len(row)} values, the header {len(header)}"
            yield Parsed(begin, rows.end, error=error_text, source=source)
        else:
            values = zip(header, map(typed, row), strict=True)
            members: dict[str, object] = {n: v for n, v in values if v is not None}
            yield Parsed(begin, rows.end, source=source, members=members)
