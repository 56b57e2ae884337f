"""The request of `POST /bw/1/traces`: conditions and a time range, as a text or as members."""

from typing import Any, Final

from common import limits
from query.faults import SpecError
from query.plan.planner import build_request
from query.plan.read.checks import limit_of
from query.plan.read.spec import read_spec
from query.plan.relations import split_conditions
from query.text.parser import parse_query
from query.tokens.errors import QueryTextError
from query.traces.relations.search import TraceOrder, TracesWanted

_OWN: Final = ("query", "datasets", "order", "limit", "after", "coverage")
_CONDITIONS: Final = ("filters", "filter_combination", "start_time", "end_time", "time_range")
MEMBERS: Final = (*_OWN, *_CONDITIONS)


def read_traces_request(body: dict[str, Any], now_ns: int) -> TracesWanted:
    """Read the body of a request. Raises SpecError.

    The text may have WHERE, a time range and LIMIT, as `bellwether query` takes them.
    """
    for name in body:
        if name not in MEMBERS:
            why = f"is not a part of a search for traces; known: {', '.join(MEMBERS)}"
            raise SpecError(name, "invalid", why)
    written = {name: value for name, value in body.items() if name in _CONDITIONS}
    limit = body.get("limit")
    if body.get("query") is not None:
        for name in written:
            raise SpecError(name, "invalid", "stands in the text of `query` if there is one")
        written = _of_text(body["query"], now_ns)
        limit = written.pop("limit", limit)
    spec = read_spec(written)
    resolved = build_request(spec, "", now_ns)
    return TracesWanted(
        conditions=split_conditions(spec.filters, spec.any_filter),
        start_ns=resolved.start_ns,
        end_ns=resolved.end_ns,
        overlapping=True,
        datasets=_datasets(body.get("datasets")),
        order=_order(body.get("order")),
        limit=limit_of({"limit": limit}, limits.TRACES_LIMIT_DEFAULT, limits.TRACES_LIMIT_MAX),
    )


def _of_text(text: object, now_ns: int) -> dict[str, Any]:
    """The members of a specification that a text stands for."""
    if not isinstance(text, str):
        raise SpecError("query", "incorrect_type", "must be a text: WHERE root.name = a LAST 1d")
    try:
        spec, dataset = parse_query(text, now_ns)
    except QueryTextError as error:
        raise SpecError("query", "invalid", str(error)) from error
    if dataset is not None:
        raise SpecError("query", "invalid", "names a dataset with FROM: use the member `datasets`")
    others = spec.keys() - {*_CONDITIONS, "calculations", "limit"}
    if others or spec.get("calculations") != [{"op": "COUNT"}]:
        raise SpecError("query", "invalid", "traces are searched by WHERE and a time range alone")
    del spec["calculations"]
    return spec


def _datasets(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise SpecError("datasets", "incorrect_type", "must be an array of names of datasets")
    if not value:
        raise SpecError("datasets", "invalid", "name a dataset, or leave it out for all of them")
    return tuple(dict.fromkeys(value))


def _order(value: object) -> TraceOrder:
    for order in TraceOrder:
        if order.value == (value or TraceOrder.NEWEST):
            return order
    raise SpecError("order", "invalid", f"must be one of {', '.join(TraceOrder)}")
