"""The lines that the reference reads after a call had too many fallback lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from common.kernels.compile import Int64s
from indexer.shred.cells import Cells
from indexer.shred.event import Fields
from indexer.shred.reference import BadLine, ReferenceShredder
from segment.columns import ColumnBlock


@dataclass(frozen=True, slots=True)
class Remainder:
    """The remaining lines of one record.

    index: index of the record in the call.
    events_before: number of events of the record before these lines.
    """

    index: int
    offset: int
    append_ns: int
    depth: int
    lines: bytes
    events_before: int = 0

    def __repr__(self) -> str:
        return f"Remainder(index={self.index}, lines=<{len(self.lines)} bytes>)"


def _lines(text: bytes) -> Iterator[bytes]:
    """The lines, split lazily: of a bad record only those up to the bad line are split."""
    at = 0
    while at < len(text):
        end = text.index(b"\n", at)
        yield text[at:end]
        at = end + 1


def read_remainders(
    reference: ReferenceShredder, remainders: Sequence[Remainder], bad: dict[int, str]
) -> tuple[ColumnBlock, Int64s]:
    """Rows of the records that can be read, with the record of each. Adds the others to `bad`."""
    cells = Cells()
    counts: list[int] = []
    for one in remainders:
        events: list[tuple[int, int, Fields]] = []
        for number, line in enumerate(_lines(one.lines), one.events_before):
            try:
                events.append(reference.read_line(line, one.depth))
            except ValueError as error:
                bad[one.index] = str(BadLine(f"event {number}: {error}"))
                events.clear()
                break
        cells.add_record(one.offset, one.append_ns, events)
        counts.append(len(events))
    block = cells.block()
    index = block.index_in_record.copy()
    # only the first remainder may begin within its record
    index[: counts[0]] += remainders[0].events_before
    return replace(block, index_in_record=index), np.repeat(
        [one.index for one in remainders], counts
    )
