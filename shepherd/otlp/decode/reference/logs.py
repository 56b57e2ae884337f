"""Log records as events, as the vendor's mapping has them."""

from typing import Final

from common.model.times.api import INT64_MAX
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import DecodedRequest, OtlpBody
from shepherd.otlp.decode.reference.events import Draft, Gatherer
from shepherd.otlp.decode.reference.ids import parent_id_text, trace_id_text
from shepherd.otlp.decode.reference.origin import (
    RESOURCE_GROUP,
    members_of,
    read_resource,
    read_scope,
    scopes_of,
    service_dataset,
)
from shepherd.otlp.decode.reference.sample_rate import NAMES, RATE_MENDED, told_rate
from shepherd.otlp.decode.reference.values import (
    Attributes,
    Value,
    add_attribute,
    add_json,
    add_value,
)
from shepherd.otlp.decode.reference.wire import (
    fields,
    fixed32,
    fixed64,
    length_delimited,
    signed,
    varint,
)

UNKNOWN_LOG_SOURCE: Final = "unknown_log_source"
_BODY_FIELD: Final = "body"
_SEVERITIES: Final = ("trace", "debug", "info", "warn", "error", "fatal")
_NUMBERS_EACH: Final = 4  # severity numbers of one name: 1 to 4 are trace
_UNSPECIFIED: Final = "unspecified"
_NOTHING: Final = memoryview(b"")

_TIME: Final = fixed64(1)
_SEVERITY: Final = varint(2)
_SEVERITY_TEXT: Final = length_delimited(3)
_BODY: Final = length_delimited(5)
_ATTRIBUTE: Final = length_delimited(6)
_DROPPED: Final = varint(7)
_FLAGS: Final = fixed32(8)
_TRACE_ID: Final = length_delimited(9)
_SPAN_ID: Final = length_delimited(10)
_OBSERVED: Final = fixed64(11)
_EVENT_NAME: Final = length_delimited(12)


def decode_logs(body: OtlpBody, string_max: int, work: Work) -> DecodedRequest:
    """The events of an ExportLogsServiceRequest. Raises as `Decoder.decode`."""
    gatherer = Gatherer()
    for tag, _, group in fields(memoryview(body.message), work):
        if tag != RESOURCE_GROUP:
            continue
        resource = read_resource(group, work)
        dataset = logs_dataset(body, resource.values)
        for scope_group in scopes_of(group, work):
            inherited = read_scope(scope_group, resource, work)
            for item in members_of(scope_group, work):
                draft = _draft(item, inherited, body.arrival_ns, work)
                event = draft.finish(string_max, work)
                gatherer.add(dataset, gatherer.next_item(), event, own=True)
    return gatherer.finish()


def logs_dataset(body: OtlpBody, resource: dict[str, Value]) -> str:
    """The dataset of a resource's log records: its service, else the header's, with any key."""
    return service_dataset(resource) or body.dataset or UNKNOWN_LOG_SOURCE


def severity_name(number: int) -> str:
    """The vendor's name of a severity number: of 1 to 24, else unspecified."""
    if not 1 <= number <= _NUMBERS_EACH * len(_SEVERITIES):
        return _UNSPECIFIED
    return _SEVERITIES[(number - 1) // _NUMBERS_EACH]


def _draft(message: memoryview, inherited: Attributes, arrival_ns: int, work: Work) -> Draft:
    own = Attributes()
    numbers = {_TIME: 0, _OBSERVED: 0, _SEVERITY: 0, _FLAGS: 0, _DROPPED: 0}
    texts = dict.fromkeys((_SEVERITY_TEXT, _TRACE_ID, _SPAN_ID, _EVENT_NAME, _BODY), _NOTHING)
    for tag, number, content in fields(message, work):
        if tag == _ATTRIBUTE:
            add_attribute(own, content, work)
        elif tag in numbers:
            numbers[tag] = number
        elif tag in texts:
            texts[tag] = content
    body_text = _add_body(own, texts[_BODY], work)
    draft = Draft(own, inherited)
    severity = signed(numbers[_SEVERITY])
    draft.put("severity", severity_name(severity))
    draft.put("severity_code", severity)
    draft.put_text("severity_text", texts[_SEVERITY_TEXT])
    draft.put_text("event.name", texts[_EVENT_NAME])
    draft.put("meta.signal_type", "log")
    if numbers[_FLAGS]:
        draft.put("flags", numbers[_FLAGS])
    if any(texts[_TRACE_ID]):
        draft.put("trace.trace_id", trace_id_text(texts[_TRACE_ID]))
        draft.put("meta.annotation_type", "span_event")
    if span_id := parent_id_text(texts[_SPAN_ID]):
        draft.put("trace.parent_id", span_id)
    if body_text is not None:
        draft.put(_BODY_FIELD, body_text)
    draft.put_dropped(numbers[_DROPPED])
    rate, is_odd = told_rate(inherited.values, own.values)
    draft.rate = rate or 1
    draft.leave_out(NAMES)
    if is_odd:
        draft.mended[RATE_MENDED] = None
    observed_ns = numbers[_OBSERVED]
    draft.set_time(numbers[_TIME], observed_ns if 0 < observed_ns <= INT64_MAX else arrival_ns)
    return draft


def _add_body(own: Attributes, body: memoryview, work: Work) -> Value | None:
    """The field `body`; None: there is none. A map's members become fields `body.x` too."""
    if not body:
        return None
    found = Attributes()
    add_value(found, _BODY_FIELD, body, work)
    if found.values and _BODY_FIELD not in found.values:  # a map
        for name, member in found.values.items():
            own.add(name, member)
        add_json(found, _BODY_FIELD, body, work)
    own.mended.update(found.mended)
    return found.values.get(_BODY_FIELD)
