"""Segments that may have an event which started before a time and lasted beyond it.

An event arrives after it has ended, so that the append times of a segment bound the ends of its
events. Clocks differ: an event counts by its end also if that is up to an hour after it arrived.
Where a segment is summarized, the longest duration says more: then most are left out.
"""

import logging
from collections.abc import Sequence
from typing import Final

import numpy as np

from common import limits
from common.logs import log_event
from indexer.upkeep.summaries.held import HeldSummaries
from query.share.pruning.summary_facts import summary_may_match
from query.share.view.view import EndsWanted, ViewRequest
from segment.columns import ColumnBlock, ColumnKey, FieldType
from segment.summary.summary import NoSummary, SegmentSummary
from snapshot.documents.manifest import SegmentEntry
from snapshot.objects_of import ServedSegment

_NS_PER_MS: Final = 1_000_000
_NUMBERS: Final = (FieldType.INT, FieldType.FLOAT)
_logger = logging.getLogger(__name__)


def reaching(
    served: Sequence[ServedSegment], wanted: EndsWanted, summaries: HeldSummaries
) -> list[ServedSegment]:
    """Those of the segments that may have such an event, or one that starts after the time."""
    return [one for one in served if _may_reach(one.entry, wanted, summaries)]


def _may_reach(entry: SegmentEntry, wanted: EndsWanted, summaries: HeldSummaries) -> bool:
    before_ns = wanted.start_ns - entry.time_max_ns
    if before_ns <= 0:
        return True
    if not entry.far and entry.append_max_ns + limits.ENDS_AHEAD_MAX_NS < wanted.start_ns:
        return False
    summary = summaries.known(entry.object)
    if summary is None:
        return True
    try:
        return summary_may_match(summary, (wanted.lasting(before_ns),), any_filter=False)
    except NoSummary as error:
        log_event(_logger, logging.WARNING, "summary not used", why=str(error))
        return True


def has_longer(
    served: Sequence[ServedSegment],
    live: Sequence[ColumnBlock],
    wanted: ViewRequest,
    summaries: HeldSummaries,
) -> bool:
    """Whether events that last longer than the range, and began before it, may have ended in it.

    served, live: all of the dataset. Only what is in memory is looked at: live rows, and the
    summaries of segments with events that began before the range and arrived since.
    """
    keys = [ColumnKey(name, kind) for name in wanted.durations for kind in _NUMBERS]
    length_ns = wanted.end_ns - wanted.start_ns
    for entry, _ in served:
        if entry.time_min_ns < wanted.start_ns <= entry.append_max_ns:
            summary = summaries.known(entry.object)
            least_ns = max(length_ns, wanted.start_ns - entry.time_max_ns)
            if summary is not None and any(_lasts(summary, key, least_ns) for key in keys):
                return True
    return any(_has_longer_row(block, keys, wanted) for block in live)


def _lasts(summary: SegmentSummary, key: ColumnKey, least_ns: int) -> bool:
    """Whether the longest event lasts longer than this."""
    try:
        column = summary.column(key)
    except NoSummary:
        return False
    longest_ms = None if column is None else column.high
    return isinstance(longest_ms, int | float) and longest_ms * _NS_PER_MS > least_ns


def _has_longer_row(block: ColumnBlock, keys: Sequence[ColumnKey], wanted: ViewRequest) -> bool:
    if not block.rows or int(block.time_ns.min()) >= wanted.start_ns:
        return False
    length_ns = wanted.end_ns - wanted.start_ns
    for key in keys:
        column = block.columns.get(key)
        if column is None:
            continue
        began = block.time_ns[column.rows].astype(np.float64)
        lasted = column.values.to_numpy(zero_copy_only=False).astype(np.float64) * _NS_PER_MS
        ended = began + lasted
        inside = (ended >= wanted.start_ns) & (ended < wanted.end_ns)
        if bool(np.any((began < wanted.start_ns) & (lasted > length_ns) & inside)):
            return True
    return False
