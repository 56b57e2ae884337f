"""Cuts a JSON body into its spans, so that memory is that of one, and one's fault is its own (I9).

The array is cut by a parser that makes no objects; each element is then parsed by itself.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
import orjson

from common import limits
from common.scan import json_events
from common.scan import json_tokens as jt
from common.scan.events import EventFault, MalformedBody, Mended, Refused, Rule
from common.scan.json_data import skip
from common.scan.json_tokens import TokenKind
from common.scan.work_budget import Work
from shepherd.zipkin.json.odd import read_closely
from shepherd.zipkin.json.values import Members
from shepherd.zipkin.span import Span

# A value takes some 50 to 300 bytes when it is parsed, whatever its text. The shortest annotation
# has 27 bytes: a body of 20 MiB holds fewer than this, and a span that can be stored far fewer.
_VALUES_MAX: Final = 1_250_000
_TOO_MANY: Final = Refused(Rule.TOO_LARGE, f"the span has more than {_VALUES_MAX} values")
_elements: Final = msgspec.json.Decoder(list[msgspec.Raw])
ReadSpans = Callable[[Members], Sequence[Span]]


def read_spans(plain: bytes, read: ReadSpans, work: Work) -> Iterator[Span | Refused]:
    """The spans of a body, and why elements of its array are none.

    Raises MalformedBody, TooMuchWork.
    """
    if len(plain) > _VALUES_MAX < plain.count(b"{") + plain.count(b"["):
        raise MalformedBody(f"more than {_VALUES_MAX} objects and lists")
    for raw in _cut(plain, work):
        if len(raw) > _VALUES_MAX < raw.count(b","):
            yield _TOO_MANY
            continue
        mended: tuple[Mended, ...] = ()
        try:
            members = orjson.loads(raw)
        except ValueError:
            try:
                members, mended = read_closely(raw, work)
            except EventFault as fault:
                yield fault.refused()
                continue
        if not isinstance(members, dict):
            yield json_events.not_an_object()
            continue
        for span in read(members):
            yield msgspec.structs.replace(span, mended=span.mended + mended) if mended else span
            mended = ()


def _cut(plain: bytes, work: Work) -> Iterator[bytes]:
    """The JSON of each element of the body's array. Raises MalformedBody."""
    if len(plain) > 2 * _VALUES_MAX < plain.count(b","):  # maybe of elements, each an object
        return (plain[start:end] for start, end in _cut_by_tokens(plain, work))
    try:
        raws = _elements.decode(plain)
    except (ValueError, RecursionError):  # also values that are no JSON, such as NaN
        return (plain[start:end] for start, end in _cut_by_tokens(plain, work))
    return map(bytes, raws)


def _cut_by_tokens(plain: bytes, work: Work) -> list[tuple[int, int]]:
    """Start and end of each element. Raises MalformedBody."""
    stream = jt.tokens(plain, depth_max=limits.BODY_NESTING_MAX, work=work)
    places: list[tuple[int, int]] = []
    try:
        if next(stream).kind is not TokenKind.ARRAY_START:
            raise MalformedBody("spans come as a JSON array, also a single one: [{...}]")
        token = next(stream)
        while token.kind is not TokenKind.ARRAY_END:
            places.append((token.start, skip(stream, token)))
            if len(places) > limits.OTLP_EVENTS_MAX:
                raise MalformedBody(f"more than {limits.OTLP_EVENTS_MAX} spans")
            token = next(stream)
        if jt.skip_space(plain, token.end) != len(plain):
            raise json_events.text_after(token.end)
    except jt.JsonSyntaxError as error:
        raise MalformedBody(str(error)) from error
    return places
