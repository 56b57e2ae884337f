"""A page of a trace as the bytes of an answer."""

from collections.abc import Mapping, Sequence

import msgspec

from query.http.problems import QueryEnded
from query.traces.one.document import digest, encode_lines, summary_document
from query.traces.one.event import TraceEvent
from query.traces.one.request import TraceRequest
from query.traces.one.summary import summarize
from query.traces.one.tree import build


def encode_page(
    wanted: TraceRequest, events: Sequence[TraceEvent], more: Mapping[str, object]
) -> bytes:
    """The JSON of a page. events: all of the trace. more: further members of the answer.

    Raises QueryEnded for a cursor of a trace that has changed before its page.
    """
    tree = build(events, wanted.judging)
    head: dict[str, object] = {"trace_id": wanted.trace_id, "next": None, **more}
    if not tree.lines:
        return b'{"lines":[],%b' % msgspec.json.encode(head)[1:]
    first = 0
    if wanted.cursor is not None:
        first = wanted.cursor.first
        if digest(tree.lines, first) != wanted.cursor.digest:
            raise QueryEnded("the trace has changed since its first page: begin again with that")
    summary = summarize(tree)
    lines = encode_lines(tree.lines, first, wanted.limit, summary.start_ns)
    head |= summary_document(summary, wanted.judging)
    end = first + len(lines)
    head |= {"first_line": first, "lines_in_all": len(tree.lines)}
    if end < len(tree.lines):
        head["next"] = wanted.cursor_at(end, digest(tree.lines, end))
    return b'{"lines":[%b],%b' % (b",".join(lines), msgspec.json.encode(head)[1:])
