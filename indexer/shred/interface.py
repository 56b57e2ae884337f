"""What a shredder does: a pure function from record values to columns (I3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from common.model.record import Record
from segment.columns import ColumnBlock, concat


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """An events record that the fold has accepted: its offset, append time (unix ns), itself.

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
class SetAside:
    """A record that cannot be shredded: none of its rows is in a block."""

    offset: int
    reason: str


@dataclass(frozen=True, slots=True)
class Shredded:
    """Columns of the records that could be read, in order, and those that could not."""

    blocks: tuple[ColumnBlock, ...]
    set_aside: tuple[SetAside, ...]

    @property
    def block(self) -> ColumnBlock:
        """All rows in one block."""
        return concat(self.blocks)


class Shredder(Protocol):
    """An implementation of shredding; `name` is shown in status."""

    @property
    def name(self) -> str:
        """Which one it is."""

    def shred(self, records: Sequence[ShredInput]) -> Shredded:
        """Columns of the records' events, in order. Deterministic; never raises for bad input."""

    def shred_values(self, records: Sequence[Accepted]) -> Shredded:
        """The same of records as they are in the log, all of one dataset.

        What `common.model.record.event_lines` refuses is set aside for that reason.
        """

    def give_back(self) -> None:
        """Give back memory that was not used since this was called last."""
