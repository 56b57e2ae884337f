"""The conditions of a plan on spans: those of its own, and those by which segments are left out."""

from collections.abc import Iterable, Mapping, Sequence

from query.plan.calculated import on_stored
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.parts.spans import Kin, SpanDataset, SpanKin, SpanMark, SpansPer, SpanValues
from query.plan.plan import Plan
from query.share.sources.field_sql import FieldSql
from query.share.sources.filters import Parameters, condition
from query.share.spans.ends import end_sql
from query.share.spans.parts import SpanParts, common_form, in_some_trace


def joined(filters: Sequence[Filter], any_filter: bool) -> tuple[Filter, ...]:
    """The filters as conditions that must all hold."""
    if any_filter and len(filters) > 1:
        return (Filter("", FilterOp.ANY_OF, (), tuple(filters)),)
    return tuple(filters)


def own_filters(plan: Plan, dataset: SpanDataset) -> tuple[Filter, ...]:
    """The filters that every span of the dataset matches: of the plan, and of its trace's id."""
    assert plan.spans is not None
    of_trace = in_some_trace(dataset.names, plan.spans.trace_ids)
    return *joined(plan.filters, plan.any_filter), of_trace


def pruning_filters(plan: Plan, dataset: SpanDataset) -> tuple[Filter, ...]:
    """Filters that every event of the dataset matches that the plan needs: segments without one
    are not read.
    """
    return on_stored(_every_event(plan, dataset), False, plan.calculated)


def _every_event(plan: Plan, dataset: SpanDataset) -> tuple[Filter, ...]:
    assert plan.spans is not None
    own = own_filters(plan, dataset)
    if plan.spans.per is not SpansPer.MARKS:
        return own
    wanted = [joined(one.filters, one.any_filter) for one in plan.spans.conditions]
    if not wanted or not all(wanted):
        return own
    each = [one[0] if len(one) == 1 else Filter("", FilterOp.ALL_OF, (), one) for one in wanted]
    return *own, each[0] if len(each) == 1 else Filter("", FilterOp.ANY_OF, (), tuple(each))


class SpanConditions:
    """The conditions of a plan in SQL, over the source rows of one dataset.

    Those of WHERE are TRUE, FALSE or NULL, so that comparisons of bare columns reach the scan.
    """

    def __init__(
        self,
        plan: Plan,
        span: SpanParts,
        fields_sql: Mapping[str, FieldSql],
        parameters: Parameters,
    ) -> None:
        assert plan.spans is not None
        self._plan = plan
        self._spans = plan.spans
        self._span = span
        self._fields_sql = fields_sql
        self._parameters = parameters

    def own(self) -> list[str]:
        """The conditions of all rows, which must all hold."""
        found = self._all_of(self._plan.filters, self._plan.any_filter)
        ids = self._spans.trace_ids
        if ids is None:
            return [*found, f"{self._span.stored_trace_id} IS NOT NULL"]
        stored = [f"{one} IN ({self._bound(ids)})" for one in self._span.stored_trace_ids]
        found.append(f"({' OR '.join(stored)})" if stored else "FALSE")
        if len(stored) > 1:  # the first field that an event has is its trace
            forms = self._bound(dict.fromkeys(map(common_form, ids)))
            found.append(f"{self._span.trace_id} IN ({forms})")
        return found

    def _bound(self, texts: Iterable[str]) -> str:
        return ", ".join(map(self._parameters.bind, texts))

    def mark(self, mark: SpanMark) -> str:
        """SQL BOOLEAN: the event matches."""
        found = self._all_of(mark.filters, mark.any_filter)
        if mark.root:
            found.insert(0, self._span.is_root)
        inside, plan = self._spans.inside, self._plan
        if mark.inside and inside is not None:
            start_ns, end_ns = inside
            if plan.overlapping:
                ends = end_sql("t", self._span.duration_ms)
                found.append(f"(t >= {start_ns:d} OR {ends} > {start_ns:d})")
            elif start_ns > plan.start_ns:
                found.append(f"t >= {start_ns:d}")
            if end_ns < plan.end_ns:
                found.append(f"t < {end_ns:d}")
        return " AND ".join(found) or "TRUE"

    def kin(self, kin: SpanKin) -> str:
        """SQL BOOLEAN: the event is a span that matches."""
        has = self._span.span_id if kin.kin is Kin.PARENT else self._span.parent_id
        found = [self._span.is_span, f"{has} IS NOT NULL"]
        return " AND ".join([*found, *self._all_of(kin.filters, kin.any_filter)])

    def values(self, values: SpanValues) -> str:
        """SQL BOOLEAN: the event is a span that matches."""
        is_one = self._span.is_root if values.kin is Kin.TRACE else self._span.is_span
        return " AND ".join([is_one, *self._all_of(values.filters, values.any_filter)])

    def _all_of(self, filters: Sequence[Filter], any_filter: bool = False) -> list[str]:
        return [
            condition(one, self._fields_sql, self._parameters)
            for one in joined(filters, any_filter)
        ]
