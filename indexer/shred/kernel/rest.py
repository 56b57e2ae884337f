"""What is left of a call once too much of it was handed over: read by the reference alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from common.columns import ColumnBlock
from common.scan.kernel.build import Words
from indexer.shred.cells import Cells
from indexer.shred.event import Fields
from indexer.shred.interface import ShredInput
from indexer.shred.reference import BadLine, ReferenceShredder


@dataclass(frozen=True, slots=True)
class Rest:
    """The lines of record `index` (in its call) from byte `begin` on; `place` events before it."""

    index: int
    begin: int = 0
    place: int = 0


def read_rest(
    reference: ReferenceShredder,
    records: Sequence[ShredInput],
    rest: Sequence[Rest],
    bad: dict[int, str],
) -> tuple[ColumnBlock, Words]:
    """Rows of all that can be read, with the record of each. Adds to `bad` what cannot be."""
    cells = Cells()
    counts: list[int] = []
    for one in rest:
        record = records[one.index]
        events: list[tuple[int, int, Fields]] = []
        for place, line in enumerate(record.lines[one.begin : -1].split(b"\n"), one.place):
            try:
                events.append(reference.read_line(line, record.depth))
            except ValueError as error:
                bad[one.index] = str(BadLine(f"event {place}: {error}"))
                events.clear()
                break
        cells.add_record(record.offset, record.append_ns, events)
        counts.append(len(events))
    block = cells.block()
    places = block.place.copy()
    places[: counts[0]] += rest[0].place  # only the first one may begin within its record
    return replace(block, place=places), np.repeat([one.index for one in rest], counts)
