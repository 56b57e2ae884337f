"""Decodes a body into the events of each dataset. Pure: runs on the loop or in a thread."""

from collections.abc import Iterator

import msgspec
import numpy as np

from common import limits
from common.scan.events import Accepted, MalformedBody, Refused
from common.scan.work_budget import Work
from shepherd.http.body import EmptyBody, decode_content
from shepherd.ingest.content_id import content_id
from shepherd.ingest.decoded_events import Decoded, Sizes, decoded
from shepherd.ingest.service_dataset import UNKNOWN_SERVICE
from shepherd.ingest.signatures import with_signatures
from shepherd.zipkin import protobuf
from shepherd.zipkin.events import SpanEvents, Writer, nothing_to_store
from shepherd.zipkin.json import v1, v2
from shepherd.zipkin.json.body import read_spans
from shepherd.zipkin.media import Form
from shepherd.zipkin.span import Span


class Wire(msgspec.Struct, frozen=True):
    """A request's body as it came, and what it is read with."""

    form: Form
    body: bytes
    encoding: str
    environment: str  # the id of the key's
    arrival_ns: int  # unix ns
    dataset: str  # for spans that name none themselves; empty: their service's
    string_max: int  # bytes of a string; longer ones are cut

    def __repr__(self) -> str:
        return f"Wire({self.form}, encoding={self.encoding!r}, body=<{len(self.body)} bytes>)"


class DatasetEvents(msgspec.Struct, frozen=True, eq=False):
    """The events of one dataset, in the request's order."""

    dataset: str
    events: Decoded
    indexes: Sizes  # of each event among all of the request


class DecodedSpans(msgspec.Struct, frozen=True, eq=False):
    """A request's events by dataset, in the order in which the datasets occur first."""

    groups: list[DatasetEvents]
    batch_id: str | None  # of the body, as Zipkin has none; None: it is small, and gathered


def decode(wire: Wire, work: Work | None = None) -> DecodedSpans:
    """Raises BadRequest for a body that cannot be read; TooMuchWork."""
    work = work or Work(limits.OTLP_WORK_UNITS_MAX)
    plain = decode_content(wire.body, wire.encoding, limits.OTLP_BODY_BYTES_MAX, work)
    writer = Writer(wire.dataset, wire.arrival_ns, wire.string_max, work)
    datasets: dict[str, tuple[list[Accepted | Refused], list[int]]] = {}
    spans = count = size = 0
    for span in _read(wire.form, plain, work):
        if isinstance(span, Refused):
            found = SpanEvents(UNKNOWN_SERVICE, (span,))
        elif span.is_empty:
            found = SpanEvents(UNKNOWN_SERVICE, (nothing_to_store(),))
        else:
            found = writer.events(span)
        spans += 1
        events = found.events
        outcomes, indexes = datasets.setdefault(found.dataset, ([], []))
        outcomes += events
        indexes += range(count, count + len(events))
        count += len(events)
        size += sum(len(event.data) for event in events if isinstance(event, Accepted))
        _check_size(count, size)
    groups = [
        DatasetEvents(name, with_signatures(decoded(outcomes), work), np.array(indexes, np.int64))
        for name, (outcomes, indexes) in datasets.items()
    ]
    if spans < limits.OTLP_NAMED_ITEMS_MIN:
        return DecodedSpans(groups, None)
    return DecodedSpans(groups, content_id(wire.environment, wire.form, plain))


def _read(form: Form, plain: bytes, work: Work) -> Iterator[Span | Refused]:
    if form is Form.PROTOBUF:
        if not plain:
            raise EmptyBody
        return protobuf.read_spans(plain, work)
    if not plain.strip(b" \t\r\n"):
        raise EmptyBody
    return read_spans(plain, v1.read if form is Form.JSON_V1 else v2.read, work)


def _check_size(events: int, size: int) -> None:
    """Raises MalformedBody: each annotation repeats names of its span, so few bytes can be many."""
    if events > limits.OTLP_EVENTS_MAX:
        raise MalformedBody(f"more than {limits.OTLP_EVENTS_MAX} spans and annotations")
    if size > limits.OTLP_EVENTS_BYTES_MAX:
        raise MalformedBody(f"its events have more than {limits.OTLP_EVENTS_BYTES_MAX} bytes")
