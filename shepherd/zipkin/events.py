"""Makes events of a span, with the names that OTLP's spans have, so that one trace unites both.

A span is one event, after one for each of its annotations. Its tags go before what else would
have their names, as an OTLP span's own attributes do (ADR 0054).
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import orjson

from common import limits
from common.scan import fast_json, json_events
from common.scan.events import Accepted, EventFault, Mended, Refused, Rule
from common.scan.rates import NO_RATE, Rate, read_rate
from common.scan.work_budget import Work
from shepherd.ingest.service_dataset import UNKNOWN_SERVICE, dataset_of_service
from shepherd.otlp.decode.reference.events import Draft
from shepherd.otlp.decode.reference.values import Attributes
from shepherd.zipkin.packed_annotations import LINK_TAG, Link, unpack, unpack_link
from shepherd.zipkin.span import Endpoint, Span, TagValue
from shepherd.zipkin.tag_types import typed_tags

_BYTES_PER_UNIT: Final = 1_024  # of an event's text, as for OTLP's
_US_PER_MS: Final = 1_000
_NS_PER_MS: Final = 1_000_000
_DATASET_TAG: Final = "honeycomb.dataset"
_RATE_TAGS: Final = ("honeycomb.samplerate", "sampleRate", "SampleRate")
_ERROR: Final = "error"
_STATUS_ERROR: Final = 2  # as OTLP numbers it
_FIRST_LINK: Final = f"{LINK_TAG}0"
_EXCEPTION: Final = "exception"  # the name of OpenTelemetry's events for one
_EXCEPTION_FIELDS: Final = (
    "exception.type",
    "exception.message",
    "exception.stacktrace",
    "exception.escaped",
)
_OTEL_STATUS: Final = {"OK": 1, "ERROR": _STATUS_ERROR}  # of the tag `otel.status_code`

Fields = dict[str, TagValue]


class SpanEvents(msgspec.Struct, frozen=True):
    """The events of a span, its own last, and the dataset that they are for."""

    dataset: str
    events: Sequence[Accepted | Refused]


class Writer:
    """Writes the events of the spans of one body."""

    def __init__(self, header_dataset: str, arrival_ns: int, string_max: int, work: Work) -> None:
        """header_dataset: the dataset for spans that name none themselves; empty: their service's.

        arrival_ns: unix ns, the time of spans without one.
        string_max: bytes of a string; longer ones are cut.
        """
        self._header_dataset = header_dataset
        self._arrival_ns = arrival_ns
        self._string_max = string_max
        self._work = work

    def events(self, span: Span) -> SpanEvents:
        """The events of a span. Raises TooMuchWork."""
        tags = typed_tags(span.tags)
        rate, rate_mended = _take_rate(tags)
        dataset = _text(tags.pop(_DATASET_TAG, "")).strip() or self._dataset(span)
        own = _own_fields(span)
        failed = _take_error(tags, own)
        links = _take_links(tags, own) if _FIRST_LINK in tags else ()
        outcomes: list[Accepted | Refused] = []
        start_ns = self._arrival_ns if span.time_ns is None else span.time_ns
        for annotation in span.annotations:
            time_ns = start_ns if annotation.time_ns is None else annotation.time_ns
            name, attributes = unpack(annotation.text)
            if name == _EXCEPTION:
                for field in _EXCEPTION_FIELDS:
                    if field in attributes:
                        own.setdefault(field, attributes[field])
            fields = _annotation_fields(span, name, failed)
            if span.time_ns is not None:
                _put_since_start(fields, time_ns - span.time_ns)
            outcomes.append(self._event(time_ns, (rate, ()), fields, attributes))
        for link in links:
            fields = _link_fields(span, link, failed)
            outcomes.append(self._event(start_ns, (rate, ()), fields, link.attributes))
        mended = span.mended + rate_mended
        outcomes.append(self._event(start_ns, (rate, mended), own, tags))
        return SpanEvents(dataset, outcomes)

    def _dataset(self, span: Span) -> str:
        return self._header_dataset or dataset_of_service(span.local.service) or UNKNOWN_SERVICE

    def _event(self, time_ns: int, rate: Rate, made: Fields, sent: Fields) -> Accepted | Refused:
        """An event, by the rules of the events API. sent: tags, which go before what was made."""
        text = bytes(memoryview(orjson.dumps(made | sent)))  # orjson's own take 4 kB each
        self._work.spend(1 + len(text) // _BYTES_PER_UNIT)
        mended: tuple[Mended, ...] = ()
        if not fast_json.counts_prove(text, 0):
            try:
                text, mended = json_events.check_event(text, 0, self._work, self._string_max)
            except EventFault:
                return self._what_fits(time_ns, rate, made, sent)
        return Accepted(time_ns, rate[0], text, rate[1] + mended)

    def _what_fits(
        self, time_ns: int, rate: Rate, made: Fields, sent: Fields
    ) -> Accepted | Refused:
        """An event without tags that are too many or too large, as one of OTLP."""
        attributes = Attributes()
        for name, value in sent.items():
            if len(name.encode()) > limits.STRING_BYTES_MAX:
                attributes.mend(Rule.KEY_TOO_LONG, name)
            else:
                attributes.add(name, value)
        draft = Draft(attributes, Attributes())
        draft.core.update(made)
        draft.time_ns, draft.rate = time_ns, rate[0]
        found = draft.finish(self._string_max, self._work)
        if isinstance(found, Refused):
            return found
        return Accepted(found.time_ns, found.rate, found.data, rate[1] + found.mended)


def nothing_to_store() -> Refused:
    """The verdict on a span without anything that says something."""
    return Refused(Rule.DATA_EMPTY, "the span has no ids, no name, no service and no tags")


def _own_fields(span: Span) -> Fields:
    """The fields of a span's event but for its tags."""
    fields: Fields = {}
    for name, value in (
        ("trace.trace_id", span.trace_id),
        ("trace.span_id", span.span_id),
        ("trace.parent_id", span.parent_id),
        ("name", span.name),
        ("service.name", span.local.service),
        ("type", span.kind),
        ("span.kind", span.kind),
    ):
        if value:
            fields[name] = value
    if span.duration_us is not None:
        fields["duration_ms"] = max(span.duration_us / _US_PER_MS, 0.0)
        if span.duration_us < 0:
            fields["meta.invalid_duration"] = True
    fields["span.num_events"] = len(span.annotations)
    fields["meta.signal_type"] = "trace"
    _put_address(fields, "network.local", span.local)
    _put_address(fields, "network.peer", span.remote)
    if span.remote.service:
        fields["peer.service"] = span.remote.service
    if span.shared:
        fields["shared"] = True
    if span.debug:
        fields["debug"] = True
    return fields


def _put_address(fields: Fields, side: str, of: Endpoint) -> None:
    if of.ipv4 or of.ipv6:
        fields[f"{side}.address"] = of.ipv4 or of.ipv6
    if of.ipv4 and of.ipv6:
        fields[f"{side}.address_ipv6"] = of.ipv6
    if of.port:
        fields[f"{side}.port"] = of.port


def _take_error(tags: Fields, own: Fields) -> bool:
    """Whether a span failed. Its tag `error` says so whatever its text is, as in Zipkin.

    The field `error` is then true, and a text that says more is the field `status_message`.
    """
    status = _OTEL_STATUS.get(_text(tags.get("otel.status_code", "")))
    if status is not None:
        own["status_code"] = status
    message = tags.get("otel.status_description", "")
    failed = status == _STATUS_ERROR
    if _ERROR in tags:
        why = tags.pop(_ERROR)
        failed = True
        message = message or ("" if why is True else _text(why))
    if failed:
        own[_ERROR] = True
        own["status_code"] = _STATUS_ERROR
    if message != "":
        own["status_message"] = message
    return failed


def _take_links(tags: Fields, own: Fields) -> Sequence[Link]:
    """The links that tags write, which are no fields then."""
    found = []
    for name in [name for name in tags if name.startswith(LINK_TAG)]:
        link = unpack_link(tags[name])
        if link is not None:
            found.append(link)
            del tags[name]
    own["span.num_links"] = len(found)
    return found


def _take_rate(tags: Fields) -> Rate:
    """The sample rate that the tags name. Zero says nothing, so another tag may name one."""
    found: list[Rate] = []
    for name in _RATE_TAGS:
        if name in tags:
            text = _text(tags.pop(name)).strip()
            if text.strip("0."):
                found.append(read_rate(text))
    return next((rate for rate in found if not rate[1]), found[0] if found else NO_RATE)


def _annotation_fields(span: Span, name: str, failed: bool) -> Fields:
    """The fields of an annotation's event but for its attributes and its distance."""
    fields: Fields = {
        "trace.trace_id": span.trace_id,
        "trace.parent_id": span.span_id,
        "name": name,
        "parent_name": span.name,
        "service.name": span.local.service,
        "meta.annotation_type": "span_event",
        "meta.signal_type": "trace",
    }
    fields = {field: value for field, value in fields.items() if value}
    if failed:
        fields[_ERROR] = True
    return fields


def _link_fields(span: Span, link: Link, failed: bool) -> Fields:
    """The fields of a link's event but for its attributes."""
    fields = _annotation_fields(span, "", failed)
    fields["trace.link.trace_id"] = link.trace_id
    fields["trace.link.span_id"] = link.span_id
    fields["meta.annotation_type"] = "link"
    return fields


def _put_since_start(fields: Fields, since_ns: int) -> None:
    fields["meta.time_since_span_start_ms"] = max(since_ns / _NS_PER_MS, 0.0)
    if since_ns < 0:
        fields["meta.invalid_time_since_span_start"] = True


def _text(value: TagValue) -> str:
    """A tag's value as the text that it came as."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
