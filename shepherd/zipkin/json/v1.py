"""Reads a span of version 1 of Zipkin's JSON, which is what its JavaScript client sends by default.

Version 1 has no kinds and no endpoints of its own. Annotations with fixed names tell both: `cs` at
an endpoint says that a client there sent its request then. So one object may hold the client's
and the server's side of a call, which are two spans.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from common.scan.events import Rule
from shepherd.zipkin import ids
from shepherd.zipkin.json.values import Members, Reading
from shepherd.zipkin.span import NO_ENDPOINT, Annotation, Endpoint, Span, TagValue

_US_NS: Final = 1_000
_TRUE: Final = (True, "true", 1, "\x01")  # of an address, which a binary annotation has as its host


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of span, the names of its first and last annotation, and of its remote address."""

    name: str
    begins: str
    ends: str
    address: str


_CLIENT: Final = _Kind("client", "cs", "cr", "sa")
_SERVER: Final = _Kind("server", "sr", "ss", "ca")
_PRODUCER: Final = _Kind("producer", "ms", "ws", "ma")
_CONSUMER: Final = _Kind("consumer", "wr", "mr", "ma")
_KINDS: Final = (_CLIENT, _SERVER, _PRODUCER, _CONSUMER)  # who began a span goes first
_BORDERS: Final = frozenset(name for kind in _KINDS for name in (kind.begins, kind.ends))
_ADDRESSES: Final = frozenset(("", *(kind.address for kind in _KINDS)))


@dataclass(frozen=True, slots=True)
class _Noted:
    """An annotation or a binary annotation."""

    name: str
    at: Endpoint
    time_ns: int | None = None
    value: Any = None


@dataclass(slots=True)
class _Side:
    """One of the spans that an object holds."""

    kind: _Kind | None = None
    local: Endpoint = NO_ENDPOINT
    remote: Endpoint = NO_ENDPOINT
    begin_ns: int | None = None
    end_ns: int | None = None
    annotations: list[Annotation] = field(default_factory=list)
    tags: dict[str, TagValue] = field(default_factory=dict)


def read(members: Members) -> Sequence[Span]:
    """The one or two spans of a JSON object, with whatever of them can be read."""
    reading = Reading()
    noted = [
        _Noted(
            reading.text(one, "value"),
            reading.endpoint(one, "endpoint"),
            reading.time_ns(one, "timestamp"),
        )
        for one in reading.objects(members, "annotations")
    ]
    binary = [
        _Noted(reading.text(one, "key"), reading.endpoint(one, "endpoint"), value=one.get("value"))
        for one in reading.objects(members, "binaryAnnotations")
    ]
    sides = _sides(noted, binary)
    for one in noted:
        if one.name not in _BORDERS:
            _side_at(sides, one.at).annotations.append(Annotation(one.time_ns, one.name))
    for one in binary:
        if _is_address(one):
            if not _put_address(sides, one):
                reading.leave_out(Rule.UNSUPPORTED_VALUE, "binaryAnnotations")
        elif (value := reading.tag(one.value)) is not None:
            _side_at(sides, one.at).tags[one.name] = value
    return [_span(members, reading, side, at) for at, side in enumerate(sides)]


def _sides(noted: Sequence[_Noted], binary: Sequence[_Noted]) -> list[_Side]:
    """A side for each kind whose annotations there are, the one that began the span first."""
    borders: dict[str, _Noted] = {}
    for one in noted:
        borders.setdefault(one.name, one)
    sides = []
    for kind in _KINDS:
        begin, end = borders.get(kind.begins), borders.get(kind.ends)
        if begin or end:
            local = begin.at if begin else end.at if end else NO_ENDPOINT
            side = _Side(kind, local)
            side.begin_ns = begin.time_ns if begin else None
            side.end_ns = end.time_ns if end else None
            sides.append(side)
    return sides or [_local_side(noted, binary)]


def _local_side(noted: Sequence[_Noted], binary: Sequence[_Noted]) -> _Side:
    """The side of a span without borders: its kind follows from the address of the other side."""
    names = {one.name for one in binary if _is_address(one)}
    kind = next((kind for kind in (_CLIENT, _SERVER) if kind.address in names), None)
    hosts = [one.at for one in (*noted, *binary) if not _is_address(one)]
    local = next((host for host in hosts if host.service), hosts[0] if hosts else NO_ENDPOINT)
    return _Side(kind, local)


def _is_address(one: _Noted) -> bool:
    """Whether it is a binary annotation that tells where the other side is. (The value of an
    annotation of the other kind is None.)
    """
    return one.name in _ADDRESSES and one.value in _TRUE


def _side_at(sides: Sequence[_Side], at: Endpoint) -> _Side:
    """The side at an endpoint, else at its service, else the one that began the span."""
    for side in sides:
        if side.local == at:
            return side
    return next((side for side in sides if side.local.service == at.service), sides[0])


def _put_address(sides: Sequence[_Side], address: _Noted) -> bool:
    """Set the remote endpoint of the side that the address is for; whether there is one."""
    for side in sides:
        if address.name == "" or side.kind is None or side.kind.address == address.name:
            side.remote = address.at
            return True
    return False


def _span(members: Members, reading: Reading, side: _Side, at: int) -> Span:
    """at: the number of the side; the first has what was not there to be read as well."""
    own = Reading() if at else reading
    time_ns = own.time_ns(members, "timestamp") if not at else None
    duration_us = own.number(members, "duration") if not at else None
    if duration_us is None and side.begin_ns is not None and side.end_ns is not None:
        duration_us = (side.end_ns - side.begin_ns) / _US_NS
    # A server that joined its client's span has not begun it, and so sends no time of the span.
    joined = side.kind is _SERVER and time_ns is None and side.begin_ns is not None
    return Span(
        trace_id=ids.trace_id(own.text(members, "traceId").strip()),
        span_id=ids.span_id(own.text(members, "id").strip()),
        parent_id=ids.parent_id(own.text(members, "parentId").strip()),
        name=own.text(members, "name"),
        kind=side.kind.name if side.kind else "",
        time_ns=time_ns or side.begin_ns or side.end_ns,
        duration_us=duration_us,
        local=side.local,
        remote=side.remote,
        annotations=side.annotations,
        tags=side.tags,
        debug=own.flag(members, "debug"),
        shared=at > 0 or joined,
        mended=tuple(reading.mended) if not at else (),
    )
