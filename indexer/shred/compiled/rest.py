"""What is left of a call once too much of it was handed over: read by the reference alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from common.kernels.compile import Int64s
from indexer.shred.cells import Cells
from indexer.shred.event import Fields
from indexer.shred.reference import BadLine, ReferenceShredder
from segment.columns import ColumnBlock


@dataclass(frozen=True, slots=True)
class Rest:
    """Lines of the record `index` of a call, the last of it; `place` events come before them."""

    index: int
    offset: int
    append_ns: int
    depth: int
    lines: bytes
    place: int = 0

    def __repr__(self) -> str:
        return f"Rest(index={self.index}, lines=<{len(self.lines)} bytes>)"


def _lines(text: bytes) -> Iterator[bytes]:
    """Its lines one by one: of a bad record only those before the bad one are looked for."""
    at = 0
    while at < len(text):
        end = text.index(b"\n", at)
        yield text[at:end]
        at = end + 1


def read_rest(
    reference: ReferenceShredder, rest: Sequence[Rest], bad: dict[int, str]
) -> tuple[ColumnBlock, Int64s]:
    """Rows of all that can be read, with the record of each. Adds to `bad` what cannot be."""
    cells = Cells()
    counts: list[int] = []
    for one in rest:
        events: list[tuple[int, int, Fields]] = []
        for place, line in enumerate(_lines(one.lines), one.place):
            try:
                events.append(reference.read_line(line, one.depth))
            except ValueError as error:
                bad[one.index] = str(BadLine(f"event {place}: {error}"))
                events.clear()
                break
        cells.add_record(one.offset, one.append_ns, events)
        counts.append(len(events))
    block = cells.block()
    places = block.index_in_record.copy()
    places[: counts[0]] += rest[0].place  # only the first one may begin within its record
    return replace(block, index_in_record=places), np.repeat([one.index for one in rest], counts)
