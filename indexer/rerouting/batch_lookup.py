"""Whether a partition holds a batch that is undecided (may count here or there) in another one.

It is needed to answer voids, the records by which that partition asks, and for queries meanwhile.

The answer follows from the log alone: from the window of the partition's state, which manifests
carry, and from the published lists of older batches (I2, I3).
"""

from collections.abc import Mapping

from common import limits
from common.model.reroute import Decision, EpochOffset, RerouteAnswer, Void
from indexer.state.partition_state import PartitionState
from snapshot.documents.batch_lists import BatchLists, ListsMissing
from snapshot.threads import to_store_thread

Copies = Mapping[bytes, EpochOffset | None]


def look_up_in_window(
    state: PartitionState, lists_end: EpochOffset | None, wanted: Mapping[bytes, int]
) -> tuple[dict[bytes, EpochOffset | None], dict[bytes, int]]:
    """(copies known from the window, batches to search the published lists for).

    wanted: batch id -> append time of its record in the requesting partition (unix ns).
    search: batch id -> append time from which to search (unix ns). A copy counts as far back as
    this partition's own window reached at that time. Raises ListsMissing.
    """
    known: dict[bytes, EpochOffset | None] = {}
    search: dict[bytes, int] = {}
    for batch, append_ns in wanted.items():
        from_ns = _searched_from(append_ns, state.watermark_ns)
        copy = state.batch_window.copy_of(batch)
        if copy is not None or state.batch_window.covers(from_ns):
            known[batch] = copy
        else:
            search[batch] = from_ns
    needed = state.batch_window.forgotten_to
    if search and needed is not None and (lists_end is None or lists_end < needed):
        raise ListsMissing("cuts that are not published yet are out of the window already")
    return known, search


def _searched_from(append_ns: int, now_ns: int) -> int:
    """Time from which copies count for a record appended at `append_ns` in another partition.

    now_ns: this partition's own time. If the other time is much later, a clock leapt or this
    partition lags: the other time is then meaningless here, and days are searched.
    """
    if append_ns > now_ns + limits.REROUTE_SKEW_NS:
        return now_ns - limits.REROUTE_LEAP_REACH_NS
    return append_ns - limits.REROUTE_SKEW_NS


async def find_copies(
    state: PartitionState, lists: BatchLists, wanted: Mapping[bytes, int]
) -> Copies:
    """The copy of each batch, or None. Raises ListsMissing, ObjectsUnavailable."""
    known, search = look_up_in_window(state, lists.end, wanted)
    if search:
        found = await to_store_thread(lists.find, search)
        known |= {batch: found.get(batch) for batch in search}
    return known


def batches_of(void: Void) -> dict[bytes, int]:
    """Batches for `find_copies`: each once, with the earliest append time of its questions."""
    wanted: dict[bytes, int] = {}
    for question in void.questions:
        wanted[question.batch] = min(question.append_ns, wanted.get(question.batch, 2**63))
    return wanted


def decision_for(void: Void, copies: Copies, decider: int) -> Decision:
    """The decision of partition `decider`; `copies`: its copies before the first void."""
    return Decision(
        decider,
        tuple(RerouteAnswer(q.batch, q.place, copies[q.batch]) for q in void.questions),
    )
