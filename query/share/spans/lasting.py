"""The condition by which files are left out whose events are all too short."""

from collections.abc import Sequence

from query.plan.parts.conditions import Filter, FilterOp
from query.share.spans.ends import NS_PER_MS


def lasting(durations: Sequence[str], least_ns: int) -> Filter:
    """That an event lasts so long, or by up to a millisecond less. durations: fields, in ms."""
    least_ms = max(0, least_ns // NS_PER_MS - 1)
    each = tuple(Filter(name, FilterOp.GE, (least_ms,)) for name in durations)
    return Filter("", FilterOp.ANY_OF, (), each)
