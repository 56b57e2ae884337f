"""The segments that may have an event which started before a time and lasted beyond it.

An event arrives after it has ended, so that the append times of a segment bound the ends of its
events. Clocks differ: an event counts by its end also if that is up to an hour after it arrived.
Where a segment is summarized, the longest duration says more: then most are left out.
"""

import logging
from collections.abc import Sequence

from common import limits
from common.logs import log_event
from indexer.summaries.held import HeldSummaries
from query.share.pruning.summary_facts import summary_may_match
from query.share.view import EndsWanted
from segment.summary.summary import NoSummary
from snapshot.documents.manifest import SegmentEntry
from snapshot.objects_of import ServedSegment

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
