"""A span as Zipkin means it, whichever of its three forms it came in; values are what clients sent.

Readers of the forms (`json`, `protobuf`) make it, `events` turns it into events.
"""

from collections.abc import Mapping, Sequence

import msgspec

from common.scan.events import Mended

TagValue = str | int | float | bool


class Endpoint(msgspec.Struct, frozen=True):
    """A service at one side of a span. Empty texts and port 0: not known."""

    service: str = ""
    ipv4: str = ""
    ipv6: str = ""
    port: int = 0


NO_ENDPOINT = Endpoint()


class Annotation(msgspec.Struct, frozen=True):
    """Something that happened during a span."""

    time_ns: int | None  # unix ns; None: not known
    text: str


class Span(msgspec.Struct, frozen=True):
    """One side of a call, or local work. Empty texts: not given.

    time_ns: unix ns of its start; None if it is not given, or cannot be one.
    duration_us: None if it is not given.
    mended: what of it could not be read and is left out.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    time_ns: int | None
    duration_us: int | float | None
    local: Endpoint = NO_ENDPOINT
    remote: Endpoint = NO_ENDPOINT
    annotations: Sequence[Annotation] = ()
    tags: Mapping[str, TagValue] = {}
    debug: bool = False
    shared: bool = False
    mended: tuple[Mended, ...] = ()

    def __repr__(self) -> str:
        return f"Span({len(self.tags)} tags, {len(self.annotations)} annotations)"

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it that says anything."""
        return not (
            self.trace_id
            or self.span_id
            or self.name
            or self.tags
            or self.annotations
            or self.local.service
        )
