"""The parameters of Zipkin's read API, as its public description names them. Others are ignored:
Zipkin's page and Grafana send some of their own.
"""

from dataclasses import dataclass
from typing import Final

from multidict import MultiMapping

from common import limits
from query.faults import SpecError
from query.traces.one.ids import trace_id_of

_MS_NS: Final = 1_000_000
_LOOKBACK_MS_DEFAULT: Final = 86_400_000  # a day, as Zipkin's server
_TRACES_DEFAULT: Final = 10  # as Zipkin's server
_ID_CHARS_MAX: Final = 256
_NUMBER_DIGITS_MAX: Final = 18


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Half open, in unix ns."""

    start_ns: int
    end_ns: int


def read_trace_id(text: str) -> str:
    """The id of a trace in a path. Raises SpecError."""
    trace_id = trace_id_of(text)
    if not trace_id or len(trace_id) > _ID_CHARS_MAX:
        raise SpecError("traceId", "invalid", f"must have 1 to {_ID_CHARS_MAX} characters")
    return trace_id


def read_trace_ids(given: MultiMapping[str]) -> tuple[str, ...]:
    """The parameter `traceIds`: ids separated by commas. Raises SpecError."""
    texts = [text for text in given.get("traceIds", "").split(",") if text.strip()]
    if not texts:
        raise SpecError("traceIds", "missing", "name traces, separated by commas")
    ids = tuple(dict.fromkeys(map(read_trace_id, texts)))
    if len(ids) > limits.TRACE_IDS_MAX:
        raise SpecError("traceIds", "invalid", f"at most {limits.TRACE_IDS_MAX} traces")
    return ids


def read_time_range(given: MultiMapping[str], now_ns: int, *, required: bool = False) -> TimeRange:
    """The parameters `endTs` and `lookback`, in ms. required: whether `endTs` must be there.

    Raises SpecError.
    """
    end_ms = read_number(given, "endTs")
    if end_ms is None and required:
        raise SpecError("endTs", "missing", "name the end of the range, in ms since 1970")
    end_ns = now_ns if end_ms is None else min((end_ms + 1) * _MS_NS, 2**63 - 1)
    lookback_ms = read_number(given, "lookback")
    if lookback_ms is None:
        lookback_ms = _LOOKBACK_MS_DEFAULT
    return TimeRange(max(0, end_ns - (lookback_ms + 1) * _MS_NS), end_ns)


def read_limit(given: MultiMapping[str]) -> int:
    """The parameter `limit` of traces, at most `limits.TRACE_IDS_MAX`. Raises SpecError."""
    wanted = read_number(given, "limit")
    if wanted is None:
        return _TRACES_DEFAULT
    if not wanted:
        raise SpecError("limit", "invalid", "must be above zero")
    return min(wanted, limits.TRACE_IDS_MAX)


def read_number(given: MultiMapping[str], name: str) -> int | None:
    """A whole number that is not negative; None if it is not given. Raises SpecError."""
    text = given.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > _NUMBER_DIGITS_MAX:
        raise SpecError(name, "invalid", "must be a whole number")
    return int(text)
