"""The request of `GET /bw/1/queries`: its parameters, and the question that it stands for."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from common import limits
from query.asking.events import EVENT, KINDS
from query.faults import SpecError

_DAY_S: Final = 86_400
_LAST_S_MAX: Final = 10 * 366 * _DAY_S
_REFUSED_FROM: Final = 400  # statuses that are errors
_PARAMETERS: Final = (
    "view", "dataset", "key", "kind", "failed", "search",
    "last_s", "limit", "cursor",
)  # fmt: skip
_TRUE: Final = {"true": True, "1": True, "false": False, "0": False}

# Of the view `slow`: the same question, asked of the same dataset, is one line.
SLOW_GROUPS: Final = ("kind", "dataset", "asked")
SLOW: Final = {
    "slowest_ms": ("MAX", "duration_ms"), "usual_ms": ("P50", "duration_ms"),
    "times": ("COUNT", None), "rows_read": ("MAX", "rows_read"),
    "bytes_read": ("MAX", "bytes_read"), "queued_ms": ("MAX", "queued_ms"),
}  # fmt: skip
# Of the view `keys`.
KEYS_GROUPS: Final = ("key_id", "key_name")
KEYS: Final = {
    "time_ms": ("SUM", "duration_ms"), "times": ("COUNT", None), "usual_ms": ("P50", "duration_ms"),
    "slowest_ms": ("MAX", "duration_ms"), "rows_read": ("SUM", "rows_read"),
    "bytes_read": ("SUM", "bytes_read"),
}  # fmt: skip


class View(StrEnum):
    """newest: every question. slow: those that took longest, each once. keys: sums by key."""

    NEWEST = "newest"
    SLOW = "slow"
    KEYS = "keys"


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """A page of the history.

    filters: as in a specification. last_s: seconds until now. cursor: of the page before.
    """

    view: View
    filters: list[dict[str, Any]]
    last_s: int
    limit: int
    cursor: str | None = None

    def rows_body(self) -> dict[str, Any]:
        """As `POST /bw/1/rows` takes it."""
        body: dict[str, Any] = {
            "filters": self.filters, "time_range": self.last_s, "limit": self.limit,
        }  # fmt: skip
        return body if self.cursor is None else body | {"cursor": self.cursor}

    def specification(self) -> dict[str, Any]:
        """The query that has a line for each group."""
        slow = self.view is View.SLOW
        calculated = SLOW if slow else KEYS
        first, *_ = calculated
        calculations = [
            {"op": op, "name": name, **({} if column is None else {"column": column})}
            for name, (op, column) in calculated.items()
        ]
        op, column = calculated[first]
        return {
            "calculations": calculations,
            "breakdowns": list(SLOW_GROUPS if slow else KEYS_GROUPS),
            "filters": self.filters,
            "orders": [{"op": op, "column": column, "order": "descending"}],
            "time_range": self.last_s,
            "limit": self.limit,
        }


def read_history_request(given: Mapping[str, str]) -> HistoryRequest:
    """Read the parameters. Raises SpecError."""
    for name in given:
        if name not in _PARAMETERS:
            raise SpecError(name, "invalid", f"is not known; known are {', '.join(_PARAMETERS)}")
    try:
        view = View(given.get("view", View.NEWEST))
    except ValueError as error:
        raise SpecError("view", "invalid", f"must be one of {', '.join(View)}") from error
    if view is not View.NEWEST and "cursor" in given:
        raise SpecError("cursor", "invalid", f"the view {view} has one page: raise `limit`")
    filters: list[dict[str, Any]] = [{"column": "name", "op": "=", "value": EVENT}]
    if "dataset" in given:
        filters.append({"column": "dataset", "op": "=", "value": given["dataset"]})
    if "key" in given:
        filters.append({"column": "key_name", "op": "=", "value": given["key"]})
    if "kind" in given:
        known = sorted(set(KINDS.values()))
        if given["kind"] not in known:
            raise SpecError("kind", "invalid", f"must be one of {', '.join(known)}")
        filters.append({"column": "kind", "op": "=", "value": given["kind"]})
    else:
        filters.append({"column": "kind", "op": "exists"})  # earlier builds told less
    if given.get("search"):
        filters.append({"column": "asked", "op": "contains", "value": given["search"]})
    if _flag(given, "failed"):
        filters.append({"column": "status", "op": ">=", "value": _REFUSED_FROM})
    return HistoryRequest(
        view,
        filters,
        _whole(given, "last_s", _DAY_S, _LAST_S_MAX),
        _whole(given, "limit", limits.HISTORY_LIMIT_DEFAULT, limits.HISTORY_LIMIT_MAX),
        given.get("cursor"),
    )


def _flag(given: Mapping[str, str], name: str) -> bool:
    text = given.get(name, "false")
    if text not in _TRUE:
        raise SpecError(name, "invalid", "must be true or false")
    return _TRUE[text]


def _whole(given: Mapping[str, str], name: str, usual: int, most: int) -> int:
    text = given.get(name)
    if text is None:
        return usual
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:20]) <= most:
        raise SpecError(name, "invalid", f"must be a whole number from 1 to {most:,}")
    return int(text)
