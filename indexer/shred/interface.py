"""What a shredder does: a pure function from record values to columns (I3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from common.columns import ColumnBlock


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
    """A record that cannot be shredded: none of its rows is in the block."""

    offset: int
    reason: str


@dataclass(frozen=True, slots=True)
class Shredded:
    """Columns of the records that could be read, and those that could not."""

    block: ColumnBlock
    set_aside: tuple[SetAside, ...]


class Shredder(Protocol):
    """An implementation of shredding; `name` is shown in status."""

    @property
    def name(self) -> str:
        """Which one it is."""

    def shred(self, records: Sequence[ShredInput]) -> Shredded:
        """Columns of the records' events, in order. Deterministic; never raises for bad input."""
