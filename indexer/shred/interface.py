"""The interface of a shredder: a pure function from record values to columns (I3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from common.model.record import Record
from segment.columns import ColumnBlock, concat


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """An events record that the partition's state has accepted; append_ns in unix ns.

    A struct, as there may be one for each event.
    """

    offset: int
    append_ns: int
    record: Record


@dataclass(frozen=True, slots=True)
class ShredInput:
    """One events record of the dataset: its offset, append time (unix ns), depth and JSON lines."""

    offset: int
    append_ns: int
    depth: int
    lines: bytes

    def __repr__(self) -> str:
        return f"ShredInput(offset={self.offset}, lines=<{len(self.lines)} bytes>)"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record that cannot be shredded: a block has none of its rows."""

    offset: int
    reason: str


@dataclass(frozen=True, slots=True)
class Shredded:
    """Columns of the readable records, in order, and the unreadable ones."""

    blocks: tuple[ColumnBlock, ...]
    quarantined: tuple[Quarantined, ...]

    @property
    def block(self) -> ColumnBlock:
        """All rows in one block."""
        return concat(self.blocks)


class Shredder(Protocol):
    """An implementation of shredding; `name` is shown in status."""

    @property
    def name(self) -> str:
        """Its name."""

    def shred(self, records: Sequence[ShredInput]) -> Shredded:
        """Columns of the records' events, in order. Deterministic; never raises for bad input."""

    def shred_values(self, records: Sequence[Accepted]) -> Shredded:
        """The same for records as they are in the log, all of one dataset.

        Records that `common.model.record_value.event_lines` refuses are quarantined with its
        reason.
        """

    def give_back(self) -> None:
        """Free memory that was not used since the last call."""
