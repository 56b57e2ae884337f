"""Events on disk until all of their fields are known: compressed, in a file that has no name."""

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import IO

import msgspec
import zstandard

from bellwether.answers.rows.pages import Event, event_of
from bellwether.export.layout import FieldsSeen


class Spool:
    """Takes events, then gives them back in the same order."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `__exit__`
        self._writer = zstandard.ZstdCompressor(level=1).stream_writer(self._file, closefd=False)
        self.seen = FieldsSeen()
        self.events = 0

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, row: msgspec.Raw) -> None:
        """One event, as the API gives it."""
        self.seen.add(event_of(row).data)
        self._writer.write(bytes(row) + b"\n")
        self.events += 1

    def read(self) -> Iterator[Event]:
        """All events. Nothing can be added afterwards."""
        self._writer.flush(zstandard.FLUSH_FRAME)
        self._file.seek(0)
        with zstandard.ZstdDecompressor().stream_reader(self._file, closefd=False) as reader:
            rest = b""
            while block := reader.read(2**20):
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    yield event_of(msgspec.Raw(line))
