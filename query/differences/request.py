"""The request of `POST /bw/1/differences`: a query, and a selection of its events.

A selection is a list of filters, or an object with any of: `filters` with `filter_combination`;
`start_time` and `end_time` (unix s, half open); `ranges`, each `{"column", "from", "to"}`, from
inclusive, to exclusive, as the boxes of a heatmap are; `groups`, each an object of values by
breakdown, null where the field is missing. Events inside meet all of these; one of the groups.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from common import limits
from common.process.fair.requester import ANONYMOUS, Requester
from query.differences.exactly import exactly
from query.faults import SpecError
from query.plan.parts.conditions import Filter, FilterOp, filter_fields
from query.plan.parts.spans import SpanDataset
from query.plan.plan import DifferencesWanted, Plan
from query.plan.planner import QueryRequest, build_request, totals_plan
from query.plan.read.axis import QUERY_AXES
from query.plan.read.checks import column_of, items_of, limit_of, object_of, scalar_of
from query.plan.read.filters import read_filters
from query.plan.read.prefixed import Prefixed
from query.plan.read.spec import TIME_S_MAX, TIME_S_MIN, read_spec
from query.plan.spec import Calculation

MEMBERS: Final = ("dataset", "query", "selection", "fields", "match", "limit", "after", "coverage")
_SELECTION: Final = (
    "filters", "filter_combination", "start_time", "end_time", "ranges", "groups",
)  # fmt: skip
# Of a query, but of no meaning for what its events are.
_NO_PART: Final = (
    "calculations", "breakdowns", "orders", "havings", "limit", "granularity", "formulas",
    "compare_time_offset_seconds",
)  # fmt: skip
_S_NS: Final = 10**9


@dataclass(frozen=True, slots=True)
class Selection:
    """filters: which all events inside match. inside: range of their times, half open, unix ns."""

    filters: tuple[Filter, ...]
    inside: tuple[int, int] | None = None

    @property
    def fields(self) -> set[str]:
        """The fields that it is about."""
        return filter_fields(self.filters)


@dataclass(frozen=True, slots=True)
class DifferencesRequest:
    """query: whose filters and range say which events there are.

    fields: that are looked at; None: those of the dataset that `match` (a pattern) fits.
    limit: number of fields that are listed.
    no_part: members of the query that have no part in the answer.
    """

    query: QueryRequest
    selection: Selection
    fields: tuple[str, ...] | None
    match: str
    limit: int
    no_part: tuple[str, ...] = ()
    requester: Requester = ANONYMOUS

    @property
    def datasets(self) -> tuple[str, ...]:
        """The ids of those that are asked."""
        return tuple(one.id for one in self.query.datasets) or (self.query.dataset,)

    def over(
        self, datasets: tuple[SpanDataset, ...], around: tuple[SpanDataset, ...] = ()
    ) -> "DifferencesRequest":
        """The request with the datasets that are asked, and those in which other spans are."""
        return replace(self, query=replace(self.query, datasets=datasets, around=around))

    def plan(
        self, fields: tuple[str, ...], *, at_least: dict[int, int], wait_ms: int, log: str
    ) -> Plan:
        """The plan of every share for these fields."""
        wanted = DifferencesWanted(
            fields=fields, selection=self.selection.filters, inside=self.selection.inside
        )
        plan = totals_plan(self.query, at_least=at_least, wait_ms=wait_ms, log=log)
        return msgspec.structs.replace(plan, needs=(), breakdowns=(), differences=wanted)


def read_differences_request(
    body: dict[str, Any], dataset: str, now_ns: int, requester: Requester = ANONYMOUS
) -> DifferencesRequest:
    """Read the body of a request. dataset: its id. Raises SpecError."""
    for name in body:
        if name not in MEMBERS:
            raise SpecError(name, "invalid", f"is not known here; known: {', '.join(MEMBERS)}")
    with_prefix = Prefixed("query")
    query = with_prefix.value_of({} if body.get("query") is None else body["query"])
    with with_prefix:
        spec = read_spec(query, QUERY_AXES)
    if spec.per is not None:
        raise SpecError("query.per", "invalid", "events are compared, not instances: leave it out")
    # the rest has no part in which events there are
    spec = replace(
        spec, calculations=(Calculation("COUNT"),), breakdowns=(), orders=(), havings=(),
        compare_s=None,
    )  # fmt: skip
    resolved = build_request(spec, dataset, now_ns, env=requester.env, key=requester.key)
    match = column_of(body.get("match") or "", "match")
    if len(match) > limits.FIELD_PATTERN_CHARS_MAX:
        most = limits.FIELD_PATTERN_CHARS_MAX
        raise SpecError("match", "invalid", f"has more than {most} characters")
    return DifferencesRequest(
        query=resolved,
        selection=_selection(body.get("selection"), resolved),
        fields=_fields(body.get("fields")),
        match=match,
        limit=limit_of(body, limits.DIFFERENCES_LISTED_DEFAULT, limits.DIFFERENCES_FIELDS_MAX),
        no_part=tuple(name for name in _NO_PART if query.get(name)),
        requester=requester,
    )


def _selection(value: object, query: QueryRequest) -> Selection:
    if value is None:
        raise SpecError("selection", "missing", "say which events are compared with the others")
    item = {"filters": value} if isinstance(value, list) else object_of(value, "selection")
    for name in item:
        if name not in _SELECTION:
            known = ", ".join(_SELECTION)
            raise SpecError(f"selection.{name}", "invalid", f"is not known here; known: {known}")
    prefixed = Prefixed("selection")
    with prefixed:
        filters = read_filters({"filters": item.get("filters")})
        combination = item.get("filter_combination") or "AND"
        if combination not in ("AND", "OR"):
            raise SpecError("filter_combination", "invalid", "must be AND or OR")
        if combination == "OR" and filters:
            filters = (Filter("", FilterOp.ANY_OF, (), filters),)
        filters += tuple(one for some in items_of(item, "ranges", _range) for one in some)
        groups = tuple(items_of(item, "groups", _group))
        if groups:
            filters += (Filter("", FilterOp.ANY_OF, (), groups),)
        inside = _times(item, query)
    if not filters and inside is None:
        raise SpecError("selection", "missing", "an empty one has all events inside")
    return Selection(filters, inside)


def _range(value: object, at: str) -> list[Filter]:
    item = object_of(value, at)
    for name in item:
        if name not in ("column", "from", "to"):
            raise SpecError(f"{at}.{name}", "invalid", "is not a part of a range: column, from, to")
    column = column_of(item.get("column"), f"{at}.column")
    found = []
    for name, op in (("from", FilterOp.GE), ("to", FilterOp.LT)):
        if item.get(name) is not None:
            bound = scalar_of(item[name], f"{at}.{name}")
            if isinstance(bound, bool | str):
                raise SpecError(f"{at}.{name}", "incorrect_type", "must be a number")
            found.append(Filter(column, op, (bound,)))
    if not found:
        raise SpecError(at, "missing", "a range has a `from`, a `to` or both")
    return found


def _group(value: object, at: str) -> Filter:
    item = object_of(value, at)
    if not item:
        raise SpecError(at, "missing", "a group has a value of one field or more")
    some = [
        condition
        for name, one in item.items()
        for condition in exactly(
            column_of(name, at), None if one is None else scalar_of(one, f"{at}.{name}")
        )
    ]
    return Filter("", FilterOp.ALL_OF, (), tuple(some))


def _times(item: dict[str, Any], query: QueryRequest) -> tuple[int, int] | None:
    if item.get("start_time") is None and item.get("end_time") is None:
        return None
    ends = []
    for name, default_ns in (("start_time", query.start_ns), ("end_time", query.end_ns)):
        value = item.get(name)
        if value is None:
            ends.append(default_ns)
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            raise SpecError(name, "incorrect_type", "must be a whole number of unix seconds")
        if not TIME_S_MIN <= value <= TIME_S_MAX:
            raise SpecError(name, "invalid", f"must be between {TIME_S_MIN} and {TIME_S_MAX}")
        ends.append(value * _S_NS)
    if ends[0] >= ends[1]:
        raise SpecError("end_time", "invalid", "must be after start_time")
    return ends[0], ends[1]


def _fields(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not value:
        raise SpecError("fields", "incorrect_type", "must be an array of names of fields")
    names = tuple(dict.fromkeys(column_of(one, f"fields[{at}]") for at, one in enumerate(value)))
    if len(names) > limits.DIFFERENCES_FIELDS_MAX:
        most = limits.DIFFERENCES_FIELDS_MAX
        raise SpecError("fields", "invalid", f"has {len(names)} names, at most {most} are allowed")
    return names
