"""One stored event of a trace, as a value: a span, or what happened in one."""

from collections.abc import Mapping
from typing import Final

import msgspec

LINK: Final = "link"  # values of meta.annotation_type
SPAN_START: Final = "span_start"
# `error` as text that means no failure: clients write booleans as text (Python's `str(False)`)
_NO_ERROR: Final = frozenset({"", "false", "0"})
_STATUS_ERROR: Final = 2  # status_code of a span that failed, as OpenTelemetry numbers it


class TraceEvent(msgspec.Struct, frozen=True):
    """An event of a trace, read by the definitions of its dataset. An absent text is empty.

    time_ns: unix ns; of a span its start.
    duration_ns: None where the event has none.
    error_by: `error`, `status_code`: the fields by which it failed; empty if it did not.
    kind: span.kind, in lower case.
    annotation: meta.annotation_type.
    signal: meta.signal_type.
    within: the span of a log line, by its field `span_id`, if that does not define its span.
    process: identifies the process that sent it.
    machine: state.machine.
    shared: whether client and server wrote this span under one id (Zipkin).
    message: the text of a log line.
    fields: the requested fields that it has.
    """

    span_id: str
    parent_id: str
    time_ns: int
    duration_ns: int | None
    name: str = ""
    service: str = ""
    dataset: str = ""
    error_by: tuple[str, ...] = ()
    kind: str = ""
    annotation: str = ""
    signal: str = ""
    within: str = ""
    process: str = ""
    machine: str = ""
    shared: bool = False
    link_trace_id: str = ""
    link_span_id: str = ""
    message: str = ""
    fields: Mapping[str, object] | None = None

    @property
    def end_ns(self) -> int | None:
        """The end in unix ns; None without a duration."""
        return None if self.duration_ns is None else self.time_ns + self.duration_ns

    def order(self) -> tuple[int, int, str, str, str, str]:
        """A key by which the events of a trace always come in the same order."""
        longer_first = -(self.duration_ns or 0)
        return (
            self.time_ns, longer_first, self.span_id, self.parent_id, self.dataset,
            self.name,
        )  # fmt: skip


def failed_by(error: object, status_code: object) -> tuple[str, ...]:
    """The fields by which an event failed: `error`, `status_code`, both or none.

    A field `error` that a client set to false does not hide a status that says ERROR.
    """
    found: list[str] = []
    if isinstance(error, str):
        if error.strip().lower() not in _NO_ERROR:
            found.append("error")
    elif error:
        found.append("error")
    if not isinstance(status_code, bool) and status_code in (_STATUS_ERROR, str(_STATUS_ERROR)):
        found.append("status_code")
    return tuple(found)
