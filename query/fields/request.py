"""The request of `POST /bw/1/fields`: a pattern of names, a time range, a page by name."""

from dataclasses import dataclass
from typing import Any, Final

from common import limits
from common.process.fair.requester import ANONYMOUS, Requester
from query.faults import SpecError
from query.http.environment import NO_DATASETS, NamedDatasets
from query.plan.plan import Need, Plan, State
from query.plan.planner import build_request
from query.plan.read.checks import limit_of, text_of, whole_of
from query.plan.read.spec import read_spec
from query.plan.spec import QuerySpec

_OWN: Final = ("dataset", "match", "name", "details", "limit", "cursor", "samples")
_COVERAGE: Final = ("after", "coverage")
_TIMES: Final = ("start_time", "end_time", "time_range")
_FILTERS: Final = ("filters", "filter_combination", "calculated_fields")


@dataclass(frozen=True, slots=True)
class FieldsRequest:
    """A request for a page of fields.

    start_ns, end_ns: range of event times, half open, in unix ns.
    ranged: whether the request has the range.
    match: a pattern of names.
    name: exactly this field, instead of a pattern.
    cursor: name after which the page begins.
    limit: number of fields of the page.
    samples: number of values per field.
    details: whether events are counted and values sampled in the time range.
    dataset: its id, or ALL_DATASETS. datasets: all of them, if all are asked.
    """

    dataset: str
    spec: QuerySpec
    start_ns: int
    end_ns: int
    ranged: bool
    match: str = ""
    name: str | None = None
    cursor: str | None = None
    limit: int = limits.FIELDS_DETAILED_DEFAULT
    samples: int = 3
    details: bool = True
    requester: Requester = ANONYMOUS
    datasets: NamedDatasets = NO_DATASETS

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the datasets that are asked."""
        return tuple(one.id for one in self.datasets.datasets) or (self.dataset,)

    def plan(self, fields: list[str], *, at_least: dict[int, int], wait_ms: int, log: str) -> Plan:
        """The plan of every share for these fields. Its first need counts all events."""
        needs = [Need(State.COUNT), *(Need(State.FIELD, field) for field in fields)]
        return Plan(
            dataset="" if self.datasets.datasets else self.dataset,
            datasets=self.datasets.datasets,
            start_ns=self.start_ns,
            end_ns=self.end_ns,
            needs=tuple(needs),
            filters=self.spec.filters,
            any_filter=self.spec.any_filter,
            calculated=self.spec.calculated,
            log=log,
            at_least=at_least,
            wait_ms=wait_ms,
            env=self.requester.env,
            key=self.requester.key,
        )


def read_fields_request(
    body: dict[str, Any],
    dataset: str,
    now_ns: int,
    requester: Requester = ANONYMOUS,
    datasets: NamedDatasets = NO_DATASETS,
) -> FieldsRequest:
    """Read the body of a request. dataset, datasets: as of `FieldsRequest`. Raises SpecError."""
    known = (*_OWN, *_COVERAGE, *_TIMES, *_FILTERS)
    for name in body:
        if name not in known:
            raise SpecError(name, "invalid", f"is not known here; known: {', '.join(known)}")
    spec = read_spec({name: body[name] for name in (*_TIMES, *_FILTERS) if name in body})
    resolved = build_request(spec, dataset, now_ns)
    details = body.get("details", True)
    if not isinstance(details, bool):
        raise SpecError("details", "incorrect_type", "must be true or false")
    most = limits.FIELDS_DETAILED_MAX if details else limits.COLUMNS_PAGE_MAX
    default = limits.FIELDS_DETAILED_DEFAULT if details else limits.COLUMNS_PAGE_MAX
    match = text_of(body, "match") or ""
    if len(match) > limits.FIELD_PATTERN_CHARS_MAX:
        raise SpecError("match", "invalid", "is longer than a pattern may be")
    samples = whole_of(body, "samples", 0, limits.FIELD_SAMPLES_MAX)
    return FieldsRequest(
        dataset=dataset,
        spec=spec,
        start_ns=resolved.start_ns,
        end_ns=resolved.end_ns,
        ranged=any(body.get(name) is not None for name in _TIMES),
        match=match,
        name=text_of(body, "name"),
        cursor=text_of(body, "cursor"),
        limit=limit_of(body, default, most),
        samples=3 if samples is None else samples,
        details=details,
        requester=requester,
        datasets=datasets,
    )
