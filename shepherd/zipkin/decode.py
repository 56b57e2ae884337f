"""Decodes a body into the events of each dataset. Pure: runs on the loop or in a thread."""

from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np
import orjson

from common import limits
from common.scan import json_events
from common.scan import json_tokens as jt
from common.scan.events import Accepted, EventFault, MalformedBody, Mended, Refused
from common.scan.json_data import skip
from common.scan.json_tokens import TokenKind
from common.scan.work_budget import Work
from shepherd.http.body import decompress
from shepherd.ingest.decoded_events import Decoded, Sizes, decoded
from shepherd.zipkin import json_v1, json_v2
from shepherd.zipkin.events import UNKNOWN_SERVICE, SpanEvents, Writer, nothing_to_store
from shepherd.zipkin.media import Form
from shepherd.zipkin.odd_json import read_closely
from shepherd.zipkin.span import Span

_raw_spans: Final = msgspec.json.Decoder(list[msgspec.Raw])


_READERS: Final = {
    Form.JSON_V1: json_v1.read_spans,
    Form.JSON_V2: json_v2.read_spans,
}


class Wire(msgspec.Struct, frozen=True):
    """A request's body as it came, and what it is read with."""

    form: Form
    body: bytes
    encoding: str
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


def decode(wire: Wire, work: Work | None = None) -> list[DatasetEvents]:
    """The events of a body by dataset, in the order in which the datasets occur first.

    Raises BadRequest for a body that cannot be read; TooMuchWork.
    """
    work = work or Work()
    plain = decompress(wire.body, wire.encoding, limits.ZIPKIN_BODY_BYTES_MAX, work)
    writer = Writer(wire.dataset, wire.arrival_ns, wire.string_max, work)
    datasets: dict[str, tuple[list[Accepted | Refused], list[int]]] = {}
    count = size = 0
    for span in _read_spans(wire.form, plain, work):
        if isinstance(span, Refused):
            found = SpanEvents(UNKNOWN_SERVICE, (span,))
        else:
            found = writer.events(span)
        events = found.events
        outcomes, indexes = datasets.setdefault(found.dataset, ([], []))
        outcomes += events
        indexes += range(count, count + len(events))
        count += len(events)
        size += sum(len(event.data) for event in events if isinstance(event, Accepted))
        _check_size(count, size)
    return [
        DatasetEvents(name, decoded(outcomes), np.array(indexes, np.int64))
        for name, (outcomes, indexes) in datasets.items()
    ]


def _check_size(events: int, size: int) -> None:
    """Raises MalformedBody: each annotation repeats names of its span, so few bytes can be many."""
    if events > limits.ZIPKIN_EVENTS_MAX:
        raise MalformedBody(f"more than {limits.ZIPKIN_EVENTS_MAX} spans and annotations")
    if size > limits.ZIPKIN_EVENTS_BYTES_MAX:
        raise MalformedBody(f"its events have more than {limits.ZIPKIN_EVENTS_BYTES_MAX} bytes")


def _read_spans(form: Form, plain: bytes, work: Work) -> Iterator[Span | Refused]:
    for raw in _elements(plain, work):
        try:
            members, mended = _members(raw, work)
        except EventFault as fault:
            yield fault.refused()
            continue
        if not isinstance(members, dict):
            yield json_events.not_an_object()
            continue
        for span in _READERS[form](members):
            if span.is_empty:
                yield nothing_to_store()
            elif mended:
                yield msgspec.structs.replace(span, mended=span.mended + mended)
                mended = ()
            else:
                yield span


def _elements(plain: bytes, work: Work) -> Iterator[bytes]:
    """The JSON of each element of the body's array. Raises MalformedBody."""
    try:
        raws = _raw_spans.decode(plain)
    except (ValueError, RecursionError):  # also values that are no JSON, such as NaN
        yield from _elements_by_tokens(plain, work)
        return
    for raw in raws:
        yield bytes(raw)


def _elements_by_tokens(plain: bytes, work: Work) -> Iterator[bytes]:
    stream = jt.tokens(plain, depth_max=limits.BODY_NESTING_MAX, work=work)
    places: list[tuple[int, int]] = []
    try:
        if next(stream).kind is not TokenKind.ARRAY_START:
            raise MalformedBody("spans come as a JSON array, also a single one: [{...}]")
        token = next(stream)
        while token.kind is not TokenKind.ARRAY_END:
            places.append((token.start, skip(stream, token)))
            if len(places) > limits.ZIPKIN_EVENTS_MAX:
                raise MalformedBody(f"more than {limits.ZIPKIN_EVENTS_MAX} spans")
            token = next(stream)
        if jt.skip_space(plain, token.end) != len(plain):
            raise json_events.text_after(token.end)
    except jt.JsonSyntaxError as error:
        raise MalformedBody(str(error)) from error
    for start, end in places:
        yield plain[start:end]


def _members(raw: bytes, work: Work) -> tuple[object, tuple[Mended, ...]]:
    """The value of an element, and what of it could not be read.

    Raises EventFault for an element that cannot be read, MalformedBody for a body that is no JSON.
    """
    try:
        return orjson.loads(raw), ()
    except ValueError:
        return read_closely(raw, work)
