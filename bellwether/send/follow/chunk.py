"""A chunk: the new bytes of a log up to where an event certainly ends."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from bellwether.send.event import Parsed
from bellwether.send.formats.registry import format_named
from bellwether.send.formats.tables.rows import NOT_CLOSED
from bellwether.send.options import ReadOptions

CHUNK_BYTES = 256 * 1024  # a few hundred to a few thousand lines; a retry repeats no more
CHUNK_LINES = 4_096  # an event takes some 3 kB while it is made, however short its line is
_FIELDS = re.compile(rb"^#[Ff]ields[^\n]*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Events that are sent in one request.

    size: their bytes in the log.
    lines: their lines in the log.
    prefix: bytes that the next chunk is parsed after (a table's header).
    """

    size: int
    lines: int
    prefix: bytes
    items: tuple[Parsed, ...] = field(repr=False)


def read_chunk(
    data: bytes, prefix: bytes, line: int, kind: str, options: ReadOptions, is_last: bool
) -> Chunk | None:
    """The events of new bytes of a log, None if no event is certainly whole yet.

    prefix: bytes that the data is parsed after (a table's header).
    line: number of lines before the data.
    is_last: nothing follows for now: an event whose end is uncertain is taken as it is.
    """
    if not is_last:
        data = data[: data.rfind(b"\n") + 1]
    if not data:
        return None
    known = format_named(kind)
    whole = prefix + data
    before = prefix.count(b"\n")
    read = known.reader_for(whole[:65_536], options)(io.BytesIO(whole))
    items = [
        item._replace(line=item.line - before + line, end=item.end - len(prefix))
        for item in read
        if item.end > len(prefix)
    ]
    size = len(data)
    if not is_last:
        size, items = _whole(items, size, known.joins_lines or options.continuation is not None)
    elif items and items[-1].unfinished:
        items[-1] = items[-1]._replace(unfinished=False)
    if not size:
        return None
    found = _FIELDS.findall(data[:size]) if prefix.startswith(b"#") else []
    return Chunk(size, data.count(b"\n", 0, size), found[-1] if found else prefix, tuple(items))


def first_lines(data: bytes) -> bytes:
    """The data up to the number of lines that one chunk may have."""
    if data.count(b"\n") <= CHUNK_LINES:
        return data
    end = 0
    for _ in range(CHUNK_LINES):
        end = data.index(b"\n", end) + 1
    return data[:end]


def _whole(items: Sequence[Parsed], size: int, joins_lines: bool) -> tuple[int, list[Parsed]]:
    """The items without a last one that may continue in the next bytes, and their size."""
    end = 0
    for number, item in enumerate(items):
        is_last = number == len(items) - 1
        if item.unfinished or item.error == NOT_CLOSED or (joins_lines and is_last):
            return end, list(items[:number])
        end = item.end
    return size, list(items)
