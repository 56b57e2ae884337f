"""Which segments of a dataset have a field summary in the object store, and what it says."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.objects import ObjectStore
from ops.segments import HeldSegment
from segment.columns import ColumnKey
from segment.summary.summary import ColumnSummary, NoSummary, SegmentSummary, all_columns
from snapshot.summaries import load_summary, may_have_summary
from snapshot.threads import to_store_thread

_ASKED_AT_ONCE: Final = 16


class SummaryState(StrEnum):
    """Whether a segment has a summary.

    unwanted: it lies in a pack or has few rows; questions read it from memory. unusable: what is
    stored is damaged or of another format.
    """

    PRESENT = "present"
    MISSING = "missing"
    UNUSABLE = "unusable"
    UNWANTED = "unwanted"


@dataclass(frozen=True, slots=True)
class SummaryFound:
    """The summary of one segment. size_bytes: of what is stored; why: it cannot be used."""

    state: SummaryState
    size_bytes: int = 0
    summary: SegmentSummary | None = None
    columns: tuple[tuple[ColumnKey, ColumnSummary], ...] = ()
    why: str = ""


async def find_summaries(
    objects: ObjectStore, segments: Sequence[HeldSegment]
) -> list[SummaryFound]:
    """The summary of each of the segments, in their order. Raises ObjectsUnavailable."""
    found: list[SummaryFound] = []
    for first in range(0, len(segments), _ASKED_AT_ONCE):
        some = segments[first : first + _ASKED_AT_ONCE]
        asked = (to_store_thread(_find, objects, held) for held in some)
        found += await asyncio.gather(*asked)
    return found


def _find(objects: ObjectStore, held: HeldSegment) -> SummaryFound:
    if not may_have_summary(held.entry):
        return SummaryFound(SummaryState.UNWANTED)
    stored = load_summary(objects, held.entry.object)
    if stored.summary is None:
        state = SummaryState.UNUSABLE if stored.why else SummaryState.MISSING
        return SummaryFound(state, stored.size_bytes, why=stored.why)
    try:
        columns = tuple(all_columns(stored.summary))
    except NoSummary as error:
        return SummaryFound(SummaryState.UNUSABLE, stored.size_bytes, why=str(error))
    return SummaryFound(SummaryState.PRESENT, stored.size_bytes, stored.summary, columns)


def in_short(found: SummaryFound) -> str:
    """What a summary says, in a line; why there is none."""
    if found.summary is None:
        return found.why
    return ", ".join(_parts(found.summary, [column for _, column in found.columns]))


def _parts(summary: SegmentSummary, columns: Sequence[ColumnSummary]) -> Iterator[str]:
    rest = "" if summary.complete else ", not all"
    yield f"{len(columns):,} columns{rest}"
    known = sum(column.values_complete for column in columns)
    yield f"all values of {known:,}"
    bounded = sum(column.low is not None for column in columns)
    yield f"bounds of {bounded:,}"
    begun = sum(column.prefixes_complete for column in columns)
    yield f"all beginnings of {begun:,}"
