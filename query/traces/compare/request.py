"""The request of `POST /bw/1/traces/compare`."""

from dataclasses import dataclass
from typing import Any, Final

from common import limits
from query.faults import SpecError
from query.plan.read.checks import limit_of
from query.traces.one.ids import trace_id_of
from query.traces.relations.request import read_traces_request
from query.traces.relations.search import TracesWanted

_MEMBERS: Final = ("trace", "with", "against", "limit", "coverage", "after")
_ID_CHARS_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """trace: what is looked at. other: what it is compared with, or `against`: traces that meet
    conditions, of which the typical one is taken. limit: differences that are returned.
    """

    trace: str
    other: str | None
    against: TracesWanted | None
    limit: int


def read_compare_request(body: dict[str, Any], now_ns: int) -> CompareRequest:
    """Read the body of a request. now_ns: the present time, unix ns. Raises SpecError."""
    for name in body:
        if name not in _MEMBERS:
            raise SpecError(name, "invalid", f"is not known; known are {', '.join(_MEMBERS)}")
    trace = _trace_id(body, "trace")
    if (body.get("with") is None) == (body.get("against") is None):
        raise SpecError("with", "missing", "give another trace's id, or conditions as `against`")
    limit = limit_of(body, limits.COMPARED_LISTED_DEFAULT, limits.COMPARED_LISTED_MAX)
    against = None
    if body.get("against") is not None:
        against = _against(body["against"], now_ns)
        return CompareRequest(trace, None, against, limit)
    return CompareRequest(trace, _trace_id(body, "with"), None, limit)


def _trace_id(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _ID_CHARS_MAX:
        raise SpecError(name, "missing" if value is None else "invalid", "must be a trace's id")
    return trace_id_of(value)


def _against(value: object, now_ns: int) -> TracesWanted:
    if isinstance(value, str):
        value = {"query": value}
    if not isinstance(value, dict):
        why = "must be a text such as WHERE none.error = true LAST 1d, or an object as for a search"
        raise SpecError("against", "incorrect_type", why)
    try:
        # one more than are used, since the compared one may be among them
        return read_traces_request({**value, "limit": limits.COMPARED_TRACES_MAX + 1}, now_ns)
    except SpecError as error:
        raise SpecError("against", error.code, str(error)) from error
