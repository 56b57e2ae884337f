"""A second, obvious implementation of conditions on spans of a trace, span by span."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from query.plan.parts.conditions import Filter, FilterOp
from query.plan.relations import about_of
from tests.query.share.oracle import matches
from tests.query.share.rows import Row


@dataclass(frozen=True)
class Found:
    """What is known of a trace that qualifies."""

    trace_id: str
    start_ns: int
    spans: int
    errors: int


def _is_span(row: Row) -> bool:
    return "meta.annotation_type" not in row.data and "trace.span_id" in row.data


def _one(filters: Sequence[Filter], row: Row) -> bool:
    return all(matches(one, row) for one in filters)


def qualifying(
    rows: Sequence[Row], filters: Sequence[Filter], inside: tuple[int, int], margin_ns: int
) -> list[Found]:
    """The traces that qualify, by id. filters: each about one span, joined by AND."""
    found = []
    for trace_id, some in _traces(rows, inside, margin_ns):
        if _meeting(some, _by_prefix(filters), inside):
            spans = [row for row in some if _is_span(row)]
            errors = sum(row.data.get("error") is True for row in spans)
            start = min(row.time_ns for row in some)
            found.append(Found(trace_id, start, len(spans), errors))
    return found


def events_meeting(
    rows: Sequence[Row], filters: Sequence[Filter], inside: tuple[int, int], margin_ns: int
) -> list[Row]:
    """The events in the range that meet their own conditions, and whose traces and kin theirs."""
    about = _by_prefix(filters)
    traces = _traces(rows, inside, margin_ns)
    return [row for _, some in traces for row in _meeting(some, about, inside)]


def _by_prefix(filters: Sequence[Filter]) -> dict[str, list[Filter]]:
    about: dict[str, list[Filter]] = {}
    for one in filters:
        prefix = about_of(one.field).value
        about.setdefault(prefix, []).append(
            Filter(one.field.removeprefix(prefix), one.op, one.values)
        )
    return about


def _traces(
    rows: Sequence[Row], inside: tuple[int, int], margin_ns: int
) -> list[tuple[str, list[Row]]]:
    traces: dict[str, list[Row]] = {}
    for row in rows:
        if inside[0] - margin_ns <= row.time_ns < inside[1] + margin_ns:
            traces.setdefault(trace_of(row), []).append(row)
    return sorted(traces.items())


def trace_of(row: Row) -> str:
    """The id of its trace in one form."""
    number = int(str(row.data["trace.trace_id"]), 16)
    return f"{number:016x}" if number < 2**64 else f"{number:032x}"


def _meeting(rows: list[Row], about: dict[str, list[Filter]], inside: tuple[int, int]) -> list[Row]:
    """Of the events of one trace, those that meet everything."""

    def some(prefix: str, is_candidate: Callable[[Row], bool]) -> bool:
        wanted = about.get(prefix)
        return wanted is None or any(is_candidate(row) and _one(wanted, row) for row in rows)

    for prefix in ("any.", "any2.", "any3."):
        if not some(prefix, lambda row: True):
            return []
    if not some("root.", lambda row: _is_span(row) and "trace.parent_id" not in row.data):
        return []
    if "none." in about and some("none.", lambda row: True):
        return []

    def is_own(row: Row) -> bool:
        if not inside[0] <= row.time_ns < inside[1] or not _one(about.get("", []), row):
            return False
        parent, own = row.data.get("trace.parent_id"), row.data.get("trace.span_id")
        parents = [r for r in rows if _is_span(r) and r.data["trace.span_id"] == parent]
        children = [r for r in rows if _is_span(r) and r.data.get("trace.parent_id", "-") == own]
        return all(
            prefix not in about or any(_one(about[prefix], kin) for kin in some_kin)
            for prefix, some_kin in (("parent.", parents), ("child.", children))
        )

    return list(filter(is_own, rows))


def equal(field: str, value: object) -> Filter:
    return Filter(field, FilterOp.EQ, (value,))  # type: ignore[arg-type]
