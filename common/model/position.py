"""Positions in the log, and receipts, which prove or require that positions were reached (I7)."""

import re

import msgspec

_RECEIPT_PART = re.compile(r"^([0-9a-f]{1,32}):(\d{1,6}):(\d{1,19})$")


class Position(msgspec.Struct, frozen=True, order=True):
    """An offset in one partition. `epoch` is the log incarnation's id (lower-case hex)."""

    epoch: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.partition}:{self.offset}"


def format_receipt(positions: list[Position]) -> str:
    """A receipt: the positions of the records of one request, separated by commas."""
    return ",".join([str(p) for p in positions])


def parse_receipt(text: str) -> list[Position]:
    """Read what `format_receipt` wrote. Raises ValueError naming the part it cannot read."""
    positions = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        match = _RECEIPT_PART.match(part)
        if match is None:
            raise ValueError(f"not a receipt: {part[:80]!r} (expected epoch:partition:offset)")
        positions.append(Position(match[1], int(match[2]), int(match[3])))
    return positions
