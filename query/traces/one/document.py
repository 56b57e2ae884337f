"""Lines and the summary of a trace as the JSON of an answer; docs/traces.md has its members."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from common import limits
from common.model.times.written import rfc3339, rfc3339_ns
from query.traces.one.event import TraceEvent
from query.traces.one.open_spans import How, OpenSpan
from query.traces.one.summary import Summary
from query.traces.one.tree import Judging, Kind, TreeLine

_MS: Final = 1e6  # nanoseconds
_OF_A_SPAN: Final = "trace"  # meta.signal_type of a span's own events and links
_DIGEST_BYTES: Final = 12
_WHY: Final = {
    How.INFERRED: "no event of its own: spans or events name it as their parent; it began at the "
    "latest with the first of them, and a span is sent when it ends",
    How.ANNOUNCED: "its start was announced, its end has not come",
    How.UNKNOWN: "its event has no duration and announces no start: whether it ended is not known",
}


def encode_lines(lines: Sequence[TreeLine], first: int, limit: int, begin_ns: int) -> list[bytes]:
    """JSON of lines from `first` on: at most `limit`, and not more bytes than a page of events."""
    encoder, found, size = msgspec.json.Encoder(), list[bytes](), 0
    for line in lines[first : first + limit]:
        encoded = encoder.encode(line_document(line, begin_ns))
        size += len(encoded)
        if found and size > limits.ROWS_BYTES_MAX:
            break
        found.append(encoded)
    return found


def digest(lines: Sequence[TreeLine], until: int) -> str:
    """Identifies the lines before `until`."""
    hashed = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for line in lines[:until]:
        name = line.event.name if line.event else ""
        text = (
            f"{line.kind}\0{line.span_id}\0{name}\0{line.depth}\0{line.start_ns}\0{line.end_ns}\n"
        )
        hashed.update(text.encode("utf-8", "surrogatepass"))
    return hashed.hexdigest()


def line_document(line: TreeLine, begin_ns: int) -> dict[str, Any]:
    """One line. begin_ns: unix ns of the trace's start, from which offsets count."""
    document: dict[str, Any] = {
        "kind": line.kind,
        "depth": line.depth,
        "span_id": line.span_id,
        "start": rfc3339_ns(line.start_ns),
        "offset_ms": (line.start_ns - begin_ns) / _MS,
        "duration_ms": None if line.end_ns is None else (line.end_ns - line.start_ns) / _MS,
    }
    if line.kind in (Kind.SPAN, Kind.MISSING):
        document["spans_below"] = line.spans_below
    if line.event is not None:
        document |= _event_members(line, line.event)
    if line.open is not None:
        document["open"] = open_document(line.open)
    return document


def _event_members(line: TreeLine, event: TraceEvent) -> dict[str, Any]:
    # OTLP repeats the failure of a span on all that happened in it
    inherits_error = line.kind is not Kind.SPAN and event.signal == _OF_A_SPAN
    members: dict[str, Any] = {
        "parent_id": event.parent_id or None,
        "name": event.name,
        "service": event.service,
        "dataset": event.dataset,
        "error": bool(event.error_by) and not inherits_error,
    }
    if members["error"]:
        members["error_by"] = list(event.error_by)
    if line.kind is Kind.SPAN:
        members["self_ms"] = None if line.self_ns is None else line.self_ns / _MS
    if line.kind is Kind.LINK:
        members["link"] = {"trace_id": event.link_trace_id, "span_id": event.link_span_id}
    if event.kind:
        members["span_kind"] = event.kind
    if event.process:
        members["process"] = event.process
    if line.marks:
        members["marks"] = [str(mark) for mark in line.marks]
    if line.outside_ns:
        members["outside_parent_ms"] = line.outside_ns / _MS
    if event.message:
        members["message"] = event.message
    if event.fields:
        members["fields"] = event.fields
    return members


def open_document(span: OpenSpan) -> dict[str, Any]:
    """How an unfinished span is known."""
    return {
        "how": span.how,
        "known_by": span.known_by,
        "since": rfc3339_ns(span.since_ns),
        "last": rfc3339_ns(span.last_ns),
        "why": "; ".join(_reasons(span)),
    }


def _reasons(span: OpenSpan) -> list[str]:
    reasons = [_WHY[span.known_by]]
    if span.silent:
        reasons.append("nothing of it for longer than `silent_s`")
    if span.went_on_ns is not None:
        reasons.append(f"another process went on at {rfc3339(span.went_on_ns)}")
    return reasons


def summary_document(summary: Summary, judging: Judging) -> dict[str, Any]:
    """The members of an answer that hold of the whole trace."""
    return {
        "start": rfc3339_ns(summary.start_ns),
        "end": rfc3339_ns(summary.end_ns),
        "duration_ms": (summary.end_ns - summary.start_ns) / _MS,
        "spans": summary.spans,
        "events": summary.events,
        "linked": summary.links,
        "errors": summary.errors,
        "roots": summary.roots,
        "missing": summary.missing,
        "outside_parent": summary.outside,
        "open": summary.open,
        "marks": summary.marks,
        "services": summary.services,
        "datasets": summary.datasets,
        "judged_at": rfc3339_ns(judging.now_ns),
        "silent_s": judging.silent_ns / 1e9,
        "skew_ms": judging.skew_ns / _MS,
    }
