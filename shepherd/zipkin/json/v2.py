"""Reads a span of version 2 of Zipkin's JSON."""

from collections.abc import Sequence
from typing import Final

from shepherd.zipkin import ids
from shepherd.zipkin.json.values import Members, Reading
from shepherd.zipkin.span import Annotation, Span

_TEXTS: Final = frozenset({str})  # the types of the values of nearly all tags


def read(members: Members) -> Sequence[Span]:
    """The span of a JSON object, with whatever of it can be read."""
    reading = Reading()
    tags = reading.members(members, "tags")
    if not _TEXTS.issuperset(map(type, tags.values())):
        read_tags = ((name, reading.tag(value)) for name, value in tags.items())
        tags = {name: value for name, value in read_tags if value is not None}
    annotations = [
        Annotation(reading.time_ns(one, "timestamp"), reading.text(one, "value"))
        for one in reading.objects(members, "annotations")
    ]
    span = Span(
        trace_id=ids.trace_id(reading.text(members, "traceId").strip()),
        span_id=ids.span_id(reading.text(members, "id").strip()),
        parent_id=ids.parent_id(reading.text(members, "parentId").strip()),
        name=reading.text(members, "name"),
        kind=reading.text(members, "kind").strip().lower(),
        time_ns=reading.time_ns(members, "timestamp"),
        duration_us=reading.number(members, "duration"),
        local=reading.endpoint(members, "localEndpoint"),
        remote=reading.endpoint(members, "remoteEndpoint"),
        annotations=annotations,
        tags=tags,
        debug=reading.flag(members, "debug"),
        shared=reading.flag(members, "shared"),
        mended=tuple(reading.mended),
    )
    return (span,)
