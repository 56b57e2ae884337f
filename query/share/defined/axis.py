"""The rows of datasets of one definition, in the range of a plan: by their starts or their ends.

Events are filed under their starts, so what ended in a range may have started long before. Of the
segments whose events all started before it, those are read that have an event that lasts long
enough.
"""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from query.plan.parts.spans import SpanNames
from query.plan.plan import Plan
from query.share.pruning.footer_facts import FooterFacts
from query.share.sources.small_segments import SmallSegments
from query.share.sources.sources import Sources, gather
from query.share.spans.ends import end_sql
from query.share.spans.lasting import lasting
from query.share.spans.parts import SpanParts
from query.share.view.view import DatasetView, SegmentView

_TIME_MIN_NS = -(2**63)


def gather_in_range(
    plan: Plan,
    names: SpanNames,
    views: Sequence[DatasetView],
    small: SmallSegments | None = None,
    facts: FooterFacts | None = None,
    *,
    with_positions: bool = False,
    more: str = "",
    suffix: str = "",
) -> Sources:
    """The sources as `gather` makes them. By ends, `t` is the end, but of rows with positions."""
    if not plan.reads_ends:
        return gather(
            plan, views, small, facts, with_positions=with_positions, more=more, suffix=suffix
        )
    sources = gather(
        msgspec.structs.replace(plan, start_ns=_TIME_MIN_NS),
        [_late_enough(view, plan, names, facts) for view in views],
        small,
        facts,
        with_positions=with_positions,
        more=more,
        suffix=suffix,
    )
    end = end_sql("t", SpanParts(names, sources.stored_sql).duration_ms)
    if plan.overlapping:
        return replace(sources, sql=f"SELECT * FROM ({sources.sql}) WHERE {overlaps(plan, end)}")
    inside = f"te >= {plan.start_ns:d} AND te < {plan.end_ns:d}"
    columns = "* EXCLUDE (te)" if with_positions else "* EXCLUDE (te) REPLACE (te AS t)"
    ended = f"SELECT *, {end} AS te FROM ({sources.sql})"
    return replace(sources, sql=f"SELECT {columns} FROM ({ended}) WHERE {inside}")


def overlaps(plan: Plan, end: str) -> str:
    """SQL BOOLEAN: an event that started before the range's end lies in it for some time."""
    return f"(t >= {plan.start_ns:d} OR {end} > {plan.start_ns:d})"


def _late_enough(
    view: DatasetView, plan: Plan, names: SpanNames, facts: FooterFacts | None
) -> DatasetView:
    """The view without the segments of which no event can reach the range."""
    if facts is None:
        return view

    def may_reach(segment: SegmentView) -> bool:
        before_ns = plan.start_ns - segment.time_max_ns
        if before_ns <= 0 or segment.skipped:
            return True
        wanted = msgspec.structs.replace(
            plan,
            filters=(lasting(names.duration_ms, before_ns),),
            any_filter=False,
            calculated=(),
        )
        return facts.may_match(wanted, segment)

    return replace(view, segments=tuple(filter(may_reach, view.segments)))
