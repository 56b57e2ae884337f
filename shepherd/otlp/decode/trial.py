"""Requests that a compiled decoder must decode as the reference does before it serves."""

from typing import Final

from common.scan.events import MalformedBody
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import DecodedRequest, Decoder, OtlpBody, Signal
from shepherd.otlp.json.transcode import to_protobuf

_ARRIVAL_NS: Final = 1_700_000_000_000_000_001
_SPANS: Final = (
    rb'{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"1112131415161718","name":"a\"\n",'
    rb'"parentSpanId":"2122232425262728","kind":2,"startTimeUnixNano":"1700000000000000000",'
    rb'"endTimeUnixNano":"1700000000001234567","attributes":['
    rb'{"key":"n","value":{"intValue":"-7"}},{"key":"m\u00e9","value":{"doubleValue":0.25}},'
    rb'{"key":"b","value":{"boolValue":true}},{"key":"s","value":{"stringValue":"x\\\u00e9\t"}}],'
    rb'"status":{"code":2,"message":"failed"},"traceState":"a=b","droppedAttributesCount":3,'
    rb'"events":[{"timeUnixNano":"1700000000000000500","name":"exception","attributes":['
    rb'{"key":"exception.type","value":{"stringValue":"E"}}]},{"name":"other"}],'
    rb'"links":[{"traceId":"00000000000000000102030405060708","spanId":"3132333435363738"}]}',
    rb'{"name":"b","attributes":[{"key":"name","value":{"stringValue":"own"}},'
    rb'{"key":"host","value":{"intValue":1}},{"key":"sampleRate","value":{"intValue":"20"}},'
    rb'{"key":"d","value":{"doubleValue":1e300}}]}',
    rb'{"attributes":[{"key":"l","value":{"arrayValue":{"values":[{"intValue":1}]}}},'
    rb'{"key":"host","value":{"doubleValue":12345678901234567890}}]}',
)
_REQUEST: Final = (
    rb'{"resourceSpans":[{"resource":{"attributes":['
    rb'{"key":"service.name","value":{"stringValue":"one"}},'
    rb'{"key":"host","value":{"stringValue":"h"}}]},"schemaUrl":"u","scopeSpans":['
    rb'{"scope":{"name":"io.opentelemetry.x","version":"1"},"spans":[%b,%b]},{"spans":[%b]}]},'
    rb'{"scopeSpans":[{"spans":[%b]}]}]}'
)
_LOGS: Final = (
    rb'{"resourceLogs":[{"resource":{"attributes":['
    rb'{"key":"service.name","value":{"stringValue":"one"}}]},"scopeLogs":[{"scope":{"name":"l"},'
    rb'"logRecords":[{"timeUnixNano":"1700000000000000000","severityNumber":17,'
    rb'"severityText":"ERR","body":{"stringValue":"a\"\n\u00e9"},"flags":1,"eventName":"e",'
    rb'"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"1112131415161718",'
    rb'"droppedAttributesCount":2,"attributes":[{"key":"n","value":{"intValue":"-7"}},'
    rb'{"key":"sampleRate","value":{"intValue":"20"}}]},'
    rb'{"observedTimeUnixNano":"1700000000000000001","severityNumber":25,"body":{"arrayValue":'
    rb'{"values":[{"intValue":1},{"stringValue":"x"}]}},"traceId":"00000000000000000000000000000000",'
    rb'"attributes":[{"key":"body","value":{"boolValue":true}}]},'
    rb'{"body":{"kvlistValue":{"values":[{"key":"m","value":{"doubleValue":0.25}}]}}},'
    rb'{"body":{"bytesValue":"AAE="}}]}]}]}'
)
_TRACES_MESSAGE: Final = to_protobuf(Signal.TRACES, _REQUEST % (*_SPANS, _SPANS[0]), Work())
_LOGS_MESSAGE: Final = to_protobuf(Signal.LOGS, _LOGS, Work())
_TRIAL: Final = tuple(
    (signal, one)
    for signal, message in ((Signal.TRACES, _TRACES_MESSAGE), (Signal.LOGS, _LOGS_MESSAGE))
    for one in (message, message[:-1], b"", b"\x0a")
)


def tried(decoder: Decoder) -> object:
    """What a decoder makes of the trial's requests, as plain values."""
    return [_outcome(decoder, signal, message) for signal, message in _TRIAL]


def _outcome(decoder: Decoder, signal: Signal, message: bytes) -> object:
    try:
        return told(decoder.decode(OtlpBody(signal, message, _ARRIVAL_NS), Work()))
    except MalformedBody as error:
        return str(error)


def told(found: DecodedRequest) -> object:
    """A request's events as plain values, which are equal if the events are."""
    groups = [
        (
            group.dataset,
            group.items.tolist(),
            group.own.tolist(),
            group.events.events,
            group.events.lines.text,
            group.events.lines.line_bytes.tolist(),
            group.events.lines.data_bytes.tolist(),
            list(group.events.refused),
            list(group.events.mended),
        )
        for group in found.groups
    ]
    return found.items, list(found.unreadable), groups
