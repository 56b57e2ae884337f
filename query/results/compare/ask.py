"""Asks a question a second time, over the same length of time earlier (`compare_s`)."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from query.plan.parts.conditions import GroupKey
from query.plan.planner import BesideGroups, QueryRequest
from query.results.answer import Answer, Compared
from query.results.totals.totals import Totals

Run = Callable[[QueryRequest], Awaitable[tuple[Answer, Totals]]]
_SECOND_NS = 10**9
_NS_MIN = -(2**63)


async def compared(run: Run, query: QueryRequest, offset_s: int) -> Answer:
    """The answer, with the one of the earlier range beside it. run: answers one of them."""
    answer, totals = await run(query)
    earlier = _earlier(query, offset_s, totals)
    before, listed = await run(earlier)
    seen = set(listed.top)
    found = Compared(
        offset_s=offset_s,
        range=earlier.told_range,
        answer=replace(before, notes=[*before.notes, *_notes_on_steps(query, offset_s)]),
        only_now=_named(query, [group for group in totals.top if group not in seen]),
        only_before=_named(query, listed.gone),
    )
    return replace(answer, compared=found)


def _earlier(query: QueryRequest, offset_s: int, totals: Totals) -> QueryRequest:
    offset_ns = offset_s * _SECOND_NS
    end_ns = max(query.end_ns - offset_ns, _NS_MIN + 1)
    return replace(
        query,
        spec=replace(query.spec, compare_s=None),
        start_ns=max(query.start_ns - offset_ns, _NS_MIN),
        end_ns=end_ns,
        beside=BesideGroups(tuple(totals.top), totals.keys),
    )


def _named(query: QueryRequest, groups: list[GroupKey]) -> list[dict[str, Any]]:
    return [dict(zip(query.spec.breakdowns, group, strict=True)) for group in groups]


def _notes_on_steps(query: QueryRequest, offset_s: int) -> list[str]:
    step_s = query.step_ns // _SECOND_NS
    apart_s = offset_s % step_s
    if not query.with_series or not apart_s:
        return []
    return [
        f"{offset_s} s earlier is no multiple of the step of {step_s} s: the steps of the earlier "
        f"range are not the same parts of it, but up to {min(apart_s, step_s - apart_s)} s apart"
    ]
