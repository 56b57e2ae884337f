"""From a stream to events, one reader per format, each with bounded memory (I11).

A reader yields every event, or the reason why there is none, with the offset behind it. One bad
line harms only itself (I9).
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from bellwether.send import access_log, logfmt
from bellwether.send.event import Parsed, UnknownFormat
from bellwether.send.json_reader import read_documents, read_lines
from bellwether.send.values import json_object, typed

# an event may have EVENT_BYTES_MAX bytes; twice that holds any line that could become one
LINE_BYTES_MAX = 2_000_000
FORMATS = ("json", "csv", "tsv", "logfmt", "combined")
Reader = Callable[[BinaryIO], Iterator[Parsed]]


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its line break. `data` is None if it was longer than LINE_BYTES_MAX."""

    number: int
    end: int
    data: bytes | None


def lines(stream: BinaryIO) -> Iterator[Line]:
    """The stream's lines; of one that is too long only the number is kept."""
    number = end = 0
    while raw := stream.readline(LINE_BYTES_MAX + 1):
        number += 1
        end += len(raw)
        if len(raw) > LINE_BYTES_MAX and not raw.endswith(b"\n"):
            while raw and not raw.endswith(b"\n"):
                raw = stream.readline(LINE_BYTES_MAX)
                end += len(raw)
            yield Line(number, end, None)
        else:
            yield Line(number, end, raw.rstrip(b"\r\n"))


def detect(head: bytes, name: str) -> str:
    """The format of a file that begins so. Raises UnknownFormat."""
    text = head.decode("utf-8-sig", "replace")
    sample = [line for line in text.splitlines()[:20] if line.strip()]
    if len(head) > 1000 and len(sample) > 1:
        sample.pop()  # it may be cut off
    if not sample:
        return "json"
    first = sample[0].lstrip()
    if first.startswith(("{", "[")) and not access_log.looks_like(first):
        return "json"
    if _most(sample, access_log.looks_like):
        return "combined"
    stem = name.lower()
    for compression in (".gz", ".zst", ".bz2", ".xz"):
        stem = stem.removesuffix(compression)
    if stem.endswith(".tsv"):
        return "tsv"
    if stem.endswith(".csv"):
        return "csv"
    if _most(sample, logfmt.looks_like):
        return "logfmt"
    for delimiter, kind in ((",", "csv"), ("\t", "tsv")):
        counts = {len(row) for row in csv.reader(sample, delimiter=delimiter)}
        if len(counts) == 1 and counts.pop() > 1:
            return kind
    raise UnknownFormat(f"cannot tell the format: say --format {'|'.join(FORMATS)}")


def _most(sample: list[str], test: Callable[[str], bool]) -> bool:
    return sum(map(test, sample)) * 2 > len(sample)


def reader_for(kind: str, head: bytes) -> Reader:
    """The reader of a format."""
    if kind == "json":
        return read_documents if _is_document(head) else lambda s: read_lines(lines(s))
    if kind in ("csv", "tsv"):
        delimiter = "\t" if kind == "tsv" else _delimiter(head)
        return lambda stream: _read_table(stream, delimiter)
    if kind == "logfmt":
        return lambda stream: _read_text(stream, lambda text: (logfmt.parse_line(text), None))
    if kind == "combined":
        return lambda stream: _read_text(stream, access_log.parse_line)
    raise UnknownFormat(f"unknown format {kind!r}: one of {', '.join(FORMATS)}")


def _is_document(head: bytes) -> bool:
    """An array, or objects that go over several lines; else one object per line."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"["):
        return True
    first, newline, _ = text.partition(b"\n")
    if not newline or not text.startswith(b"{"):
        return False
    return first.strip() in (b"{", b"{}") or not first.rstrip().endswith(b"}")


def _delimiter(head: bytes) -> str:
    first = head.split(b"\n", 1)[0]
    return max(",;|\t", key=lambda d: first.count(d.encode()))


def _read_text(
    stream: BinaryIO, parse: Callable[[str], tuple[bytes, str | None]]
) -> Iterator[Parsed]:
    """One event per line of text."""
    for line in lines(stream):
        if line.data is None:
            yield Parsed(line.number, line.end, error="the line is too long")
            continue
        if not line.data.strip():
            continue
        try:
            data, time = parse(line.data.decode("utf-8-sig" if line.number == 1 else "utf-8"))
        except UnicodeDecodeError:
            yield Parsed(
                line.number, line.end, error="the line is not valid UTF-8", source=line.data
            )
        except ValueError as error:
            yield Parsed(line.number, line.end, error=str(error), source=line.data)
        else:
            yield Parsed(line.number, line.end, data, time, source=line.data)


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


def _read_table(stream: BinaryIO, delimiter: str) -> Iterator[Parsed]:
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
            try:
                data = json_object(zip(header, map(typed, row), strict=True))
            except ValueError as error:
                yield Parsed(begin, rows.end, error=str(error), source=source)
            else:
                yield Parsed(begin, rows.end, data, source=source)
