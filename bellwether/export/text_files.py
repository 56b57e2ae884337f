"""CSV and NDJSON: values as the API writes them, so no digit is lost."""

import gzip
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec
import zstandard

from bellwether.answers.rows.cells import plain
from bellwether.answers.rows.csv_lines import cell
from bellwether.answers.rows.pages import Event
from bellwether.export.layout import Layout


def write_csv(path: Path, compression: str, layout: Layout, events: Iterable[Event]) -> None:
    """A header, then a line for each event (RFC 4180; as `bellwether rows --csv` writes it)."""
    names = (layout.time, layout.rate, *(column.name for column in layout.columns))

    def line(event: Event) -> str:
        values = (event.data.get(column.field) for column in layout.columns)
        cells = ("" if value is None else cell(plain(value)) for value in values)
        return ",".join((event.time, str(event.samplerate), *cells)) + "\n"

    _write(path, compression, ",".join(map(cell, names)) + "\n", line, events)


def write_ndjson(path: Path, compression: str, layout: Layout, events: Iterable[Event]) -> None:
    """A flat JSON object for each event; it has only the fields that the event has."""

    def line(event: Event) -> str:
        shown: dict[str, object] = {layout.time: event.time, layout.rate: event.samplerate}
        for column in layout.columns:
            value = event.data.get(column.field)
            if value is not None:
                shown[column.name] = value
        return msgspec.json.encode(shown).decode() + "\n"

    _write(path, compression, "", line, events)


class _Sink(Protocol):
    def write(self, data: bytes, /) -> int: ...


def _write(
    path: Path,
    compression: str,
    head: str,
    line: Callable[[Event], str],
    events: Iterable[Event],
) -> None:
    with _opened(path, compression) as file:
        file.write(head.encode())
        for event in events:
            file.write(line(event).encode())


@contextmanager
def _opened(path: Path, compression: str) -> Iterator[_Sink]:
    with path.open("wb") as plain_file:
        if compression == "gz":
            with gzip.GzipFile(fileobj=plain_file, filename="", mode="wb", mtime=0) as packed:
                yield packed
        elif compression == "zst":
            with zstandard.ZstdCompressor().stream_writer(plain_file, closefd=False) as packed_zst:
                yield packed_zst
        else:
            yield plain_file
