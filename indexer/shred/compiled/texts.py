"""The lines of records in one piece of memory, as compiled code reads them.

Values of records are decompressed directly into it, a whole group in one call: a call and a copy
for each value cost twice as much as zstd itself for a record of one event.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import zstandard

from common import limits
from common.kernels.compile import SENTINEL_BYTES, Bytes, Int64s
from common.model.record import RecordError
from common.model.record_value import decompress_value, decompressor
from indexer.shred.kernel.frames import measure_frames
from indexer.shred.kernel.memory import TEXT_BYTES


@dataclass(frozen=True, slots=True)
class Texts:
    """The lines of some records one after the other, and padding of zeros after the last.

    records: the index of each record in the call.
    starts, ends: byte offsets of the lines of each record.
    """

    buffer: Bytes
    starts: Int64s
    ends: Int64s
    records: Int64s

    def only(self, chosen: Int64s) -> "Texts":
        """Some of the records, by their index in `records`; without a copy of the text."""
        return Texts(self.buffer, self.starts[chosen], self.ends[chosen], self.records[chosen])

    def lines(self, number: int) -> bytes:
        """A copy of the lines of one record."""
        return self.buffer[self.starts[number] : self.ends[number]].tobytes()

    def __repr__(self) -> str:
        return f"Texts(records={len(self.records)}, <{len(self.buffer)} bytes>)"


def join_lines(lines: Sequence[bytes], reused: Bytes) -> Iterator[Texts]:
    """Groups of records, given their lines. A group is valid until the next one is taken."""
    sizes = np.array([len(one) for one in lines], np.int64)
    for group in _groups(sizes):
        yield _joined(lines, group, reused)


def decompress(values: Sequence[bytes], reused: Bytes, bad: dict[int, str]) -> Iterator[Texts]:
    """Groups of records, given their values. Adds the errors of unreadable ones to `bad`.

    A group without errors takes one call. Otherwise each value is decompressed by itself, which
    gives its error, and the neighbours of a damaged value are read as without it.
    """
    joined = bytearray().join((*values, bytes(SENTINEL_BYTES)))
    ends = np.cumsum(np.array([len(value) for value in values], np.int64))
    sizes = np.empty(len(values), np.int64)
    measure_frames(np.frombuffer(joined, np.uint8), ends, sizes)
    plain = (sizes >= 0) & (sizes <= limits.RECORD_DECODED_BYTES_MAX)
    starts = np.concatenate((np.zeros(1, np.int64), ends))
    for group in _groups(np.where(plain, sizes, limits.RECORD_DECODED_BYTES_MAX)):
        first, end = int(group[0]), int(group[-1]) + 1
        if plain[first:end].all():
            frames = memoryview(joined)[starts[first] : starts[end]]
            texts = _streamed(frames, sizes[first:end], group, reused)
            if texts is not None:
                yield texts
                continue
        lines: dict[int, bytes] = {}
        for index in group.tolist():
            try:
                lines[index] = decompress_value(values[index])
            except RecordError as error:
                bad[index] = str(error)
        if lines:
            yield _joined(lines, np.array(list(lines), np.int64), reused)


def _groups(sizes: Int64s) -> Iterator[Int64s]:
    """Indexes of consecutive records that are read together: up to `TEXT_BYTES`, or one record."""
    ends = np.cumsum(sizes)
    first = 0
    while first < len(sizes):
        room = TEXT_BYTES + int(ends[first] - sizes[first])
        end = max(first + 1, int(np.searchsorted(ends, room, "right")))
        yield np.arange(first, end)
        first = end


def _streamed(frames: memoryview, sizes: Int64s, records: Int64s, reused: Bytes) -> Texts | None:
    """The content of plain frames; None if some content differs from its header."""
    ends = np.cumsum(sizes)
    size = int(ends[-1])
    buffer = _memory(size, reused)
    reader = decompressor().stream_reader(frames, read_across_frames=True)
    try:
        # Room for one byte more than the content, so that the last checksum is read too.
        if reader.readinto(buffer[: size + 1].data) != size:
            return None
    except zstandard.ZstdError:
        return None  # the caller finds the value and its error
    buffer[size:] = 0
    return Texts(buffer, ends - sizes, ends, records)


def _joined(lines: Sequence[bytes] | dict[int, bytes], records: Int64s, reused: Bytes) -> Texts:
    """The lines of these records, copied into reused memory: the pages of a new buffer would cost
    more than the copy.
    """
    texts = [lines[index] for index in records.tolist()]
    ends = np.cumsum(np.array([len(text) for text in texts], np.int64))
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
    buffer = _memory(int(ends[-1]), reused)
    view = buffer.data
    for text, start, end in zip(texts, starts.tolist(), ends.tolist(), strict=True):
        view[start:end] = text
    buffer[int(ends[-1]) :] = 0
    return Texts(buffer, starts, ends, records)


def _memory(size: int, reused: Bytes) -> Bytes:
    """Memory for text of that size and its padding."""
    padded = size + SENTINEL_BYTES
    return reused[:padded] if padded <= len(reused) else np.empty(padded, np.uint8)
