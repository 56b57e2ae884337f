"""The request of `POST /bw/1/rows`: filters and a time range as in a query, and a page.

A cursor holds the position of the last row of its page and the time range of the first page, so
that all pages of one request cover the same range.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from common import limits
from common.process.fair.requester import ANONYMOUS, Requester
from query.faults import SpecError
from query.http.environment import NO_DATASETS, NamedDatasets
from query.plan.plan import Plan, RowPosition, RowsWanted
from query.plan.planner import build_request
from query.plan.read.axis import ROW_AXES
from query.plan.read.checks import limit_of
from query.plan.read.spec import read_spec
from query.plan.spec import QuerySpec, TimeAxis

_OWN: Final = ("dataset", "rows", "fields", "order", "cursor", "after", "coverage", "limit")
_GROUPING: Final = ("calculations", "breakdowns", "orders", "havings", "granularity", "per")
_ORDERS: Final = ("newest", "oldest")
_CURSOR_VERSION: Final = 1


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    """A decoded cursor.

    start_ns, end_ns: the range, half open, in unix ns.
    last: position of the last row of the previous page.
    fingerprint: identifies the request that the cursor belongs to.
    """

    version: int
    start_ns: int
    end_ns: int
    last: RowPosition
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RowsRequest:
    """A request for one page of rows.

    dataset: its id, or ALL_DATASETS.
    datasets: with their definitions; none of a question to one dataset that needs no definitions.
        Their names: where all are asked.
    start_ns, end_ns: range of event times, half open, in unix ns.
    limit: number of rows of the page.
    fingerprint: identifies the request without its page, so that a cursor of another is refused.
    fields: fields to return; None: all.
    after: position of the last row of the previous page.
    bytes_max: bytes of the data of the page's rows.
    """

    spec: QuerySpec
    dataset: str
    start_ns: int
    end_ns: int
    limit: int
    fingerprint: str
    fields: tuple[str, ...] | None = None
    oldest: bool = False
    after: RowPosition | None = None
    requester: Requester = ANONYMOUS
    bytes_max: int = limits.ROWS_BYTES_MAX
    datasets: NamedDatasets = NO_DATASETS

    def plan(self, *, at_least: dict[int, int], wait_ms: int, log: str) -> Plan:
        """The plan of every share, for one row more than the page, to find out if more follow."""
        start_ns, end_ns = self.start_ns, self.end_ns
        axis = self.spec.time_axis
        if axis is not TimeAxis.START:
            pass  # rows come in the order of their starts, and the range is another
        elif self.after is not None and self.oldest:
            start_ns = self.after.time_ns
        elif self.after is not None:
            end_ns = min(end_ns, self.after.time_ns + 1)
        rows = RowsWanted(
            limit=self.limit + 1,
            bytes_max=self.bytes_max,
            fields=self.fields,
            oldest=self.oldest,
            after=self.after,
        )
        return Plan(
            dataset="" if self.datasets.datasets else self.dataset,
            datasets=self.datasets.datasets,
            start_ns=start_ns,
            end_ns=end_ns,
            needs=(),
            filters=self.spec.filters,
            any_filter=self.spec.any_filter,
            calculated=self.spec.calculated,
            log=log,
            at_least=at_least,
            wait_ms=wait_ms,
            rows=rows,
            by_end=axis is TimeAxis.END,
            overlapping=axis is TimeAxis.OVERLAP,
            env=self.requester.env,
            key=self.requester.key,
        )

    def cursor_after(self, last: RowPosition) -> str:
        """The cursor of the page that begins after the row."""
        cursor = _Cursor(_CURSOR_VERSION, self.start_ns, self.end_ns, last, self.fingerprint)
        return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def read_rows_request(
    body: dict[str, Any],
    dataset: str,
    now_ns: int,
    requester: Requester = ANONYMOUS,
    datasets: NamedDatasets = NO_DATASETS,
) -> RowsRequest:
    """Read the body of a request. dataset: its id, or ALL_DATASETS. Raises SpecError."""
    for name in _GROUPING:
        if body.get(name):
            raise SpecError(name, "invalid", "events are asked for, not groups: leave it out")
    asked = {name: value for name, value in body.items() if name not in _OWN}
    spec = read_spec(asked, ROW_AXES)
    order = body.get("order") or "newest"
    if order not in _ORDERS:
        raise SpecError("order", "invalid", f"must be one of {', '.join(_ORDERS)}")
    fields = read_fields(body.get("fields"))
    resolved = build_request(spec, dataset, now_ns)
    fingerprint = _fingerprint(dataset, order, spec)
    start_ns, end_ns, after = resolved.start_ns, resolved.end_ns, None
    if body.get("cursor") is not None:
        cursor = _read_cursor(body["cursor"])
        if cursor.fingerprint != fingerprint:
            raise SpecError(
                "cursor", "invalid", "belongs to another question: begin with its first page"
            )
        start_ns, end_ns, after = cursor.start_ns, cursor.end_ns, cursor.last
    return RowsRequest(
        spec=spec,
        dataset=dataset,
        start_ns=start_ns,
        end_ns=end_ns,
        limit=limit_of(body, limits.ROWS_LIMIT_DEFAULT, limits.ROWS_LIMIT_MAX),
        fingerprint=fingerprint,
        fields=fields,
        oldest=order == "oldest",
        after=after,
        requester=requester,
        datasets=datasets,
    )


def read_fields(value: object) -> tuple[str, ...] | None:
    """Names of fields without duplicates; None: all fields. Raises SpecError."""
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise SpecError("fields", "incorrect_type", "must be an array of names of fields")
    if len(value) > limits.ROWS_FIELDS_MAX:
        most = limits.ROWS_FIELDS_MAX
        raise SpecError("fields", "invalid", f"has {len(value)} names, at most {most} are allowed")
    return tuple(dict.fromkeys(value))


def _fingerprint(dataset: str, order: str, spec: QuerySpec) -> str:
    """Identifies a request without its time range, fields and page."""
    parts = (dataset, order, spec.filters, spec.any_filter, *spec.calculated)
    identity = msgspec.json.encode(parts)
    if spec.time_axis is not TimeAxis.START:
        identity += spec.time_axis.encode()
    return hashlib.sha256(identity).hexdigest()[:16]


def _read_cursor(text: object) -> _Cursor:
    why = "is not a cursor that an answer has given"
    if not isinstance(text, str):
        raise SpecError("cursor", "incorrect_type", why)
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = msgspec.json.decode(raw, type=_Cursor)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise SpecError("cursor", "invalid", why) from error
    numbers = (cursor.start_ns, cursor.end_ns, *cursor.last)
    if cursor.version != _CURSOR_VERSION or not all(-(2**63) <= n < 2**63 for n in numbers):
        raise SpecError("cursor", "invalid", why)
    return cursor
