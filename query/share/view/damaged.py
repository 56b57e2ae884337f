"""Damaged records that an answer lacks, and the remedy in its coverage (I7, I13)."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

REMEDY: Final = (
    "see `bellwether damage`; restore the log's file or replica, or count the records as lost with "
    "`bellwether damage settle`"
)


class DamagedRecords(msgspec.Struct, frozen=True, kw_only=True):
    """A run of records of one partition that an answer lacks.

    epoch_number: number of the log epoch of the offsets.
    first, end: offsets, half open.
    events: number of their events by their headers; None: not known.
    whole: whether they may have had events of any dataset of the partition.
    """

    epoch_number: int
    first: int
    end: int
    events: int | None
    reason: str
    whole: bool


def describe(one: DamagedRecords) -> dict[str, Any]:
    """The run as JSON, for the coverage of an answer."""
    return {
        "epoch_number": one.epoch_number,
        "first": one.first,
        "end": one.end,
        "events": one.events,
        "reason": one.reason,
        "datasets": "any of the partition" if one.whole else "this one",
        "remedy": REMEDY,
    }


def reason_of(some: Sequence[DamagedRecords], more: int) -> str:
    """The reason in one sentence. more: number of records that are not in the list."""
    count = sum(one.end - one.first for one in some) + more
    known = None if more or any(one.events is None for one in some) else some
    held = "" if known is None else f" with {sum(one.events or 0 for one in known)} events"
    records = "record is" if count == 1 else "records are"
    return f"{count} damaged {records} missing{held}, from offset {some[0].first} on: {REMEDY}"
