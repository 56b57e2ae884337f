"""The bytes are the message that protobuf's own library reads from the same text."""

from typing import Any

import orjson
import pytest
from google.protobuf.json_format import MessageToDict, Parse
from hypothesis import given, settings
from hypothesis import strategies as st

from shepherd.otlp.decode.interface import Signal
from tests.shepherd.otlp.json.messages import messages
from tests.shepherd.otlp.json.protobuf import REQUESTS, otlp_json, read
from tests.shepherd.otlp.json.same import RECORDED

SIGNALS = st.sampled_from(list(Signal))


def same(read_back: Any, sent: Any) -> bool:
    """Equal, where NaN equals NaN."""
    return bool(
        read_back.SerializeToString(deterministic=True)
        == sent.SerializeToString(deterministic=True)
    )


@settings(max_examples=150, deadline=None)
@given(data=st.data(), signal=SIGNALS, snake_case=st.booleans())
def test_any_message_comes_back_as_it_was(
    data: st.DataObject, signal: Signal, snake_case: bool
) -> None:
    sent = data.draw(messages(REQUESTS[signal]))
    text = orjson.dumps(otlp_json(sent, snake_case=snake_case))
    assert same(read(signal, text), sent)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), signal=SIGNALS)
def test_the_order_of_fields_and_the_spelling_of_escapes_do_not_matter(
    data: st.DataObject, signal: Signal
) -> None:
    sent = data.draw(messages(REQUESTS[signal]))
    text = orjson.dumps(reverse(otlp_json(sent)), option=orjson.OPT_INDENT_2)
    escaped = "".join(f"\\u{ord(c):04x}" if 127 < ord(c) < 65536 else c for c in text.decode())
    assert same(read(signal, escaped), sent)


def reverse(value: Any) -> Any:
    """The same with the members of each object in the opposite order."""
    if isinstance(value, dict):
        return {name: reverse(item) for name, item in reversed(value.items())}
    return [reverse(item) for item in value] if isinstance(value, list) else value


def test_plain_protobuf_json_with_ids_in_base64_is_read_too() -> None:
    sent = REQUESTS[Signal.TRACES]()
    span = sent.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.parent_span_id = bytes(range(16)), b"12345678", b"\xff" * 8
    assert same(read(Signal.TRACES, orjson.dumps(MessageToDict(sent))), sent)


@pytest.mark.parametrize("signal", list(Signal))
def test_what_the_javascript_sdk_writes_is_read_as_protobuf_reads_its_repaired_text(
    signal: Signal,
) -> None:
    text = RECORDED[signal]
    repaired = (
        text.replace('{"doubleValue":null}', "{}")
        .replace('{"intValue":1e+21}', '{"doubleValue":1e+21}')
        .replace('{"intValue":9223372036854776000}', '{"doubleValue":9223372036854775808}')
        .replace("\\ud800", "\ufffd")
    )
    expected = Parse(repaired, REQUESTS[signal]())
    read_back = read(signal, text)
    for message in (expected, read_back):
        drop_ids(message)
    assert same(read_back, expected)


def drop_ids(message: Any) -> None:
    """Clear ids, which protobuf's library takes for base64."""
    for field, value in message.ListFields():
        if field.name.endswith("_id"):
            message.ClearField(field.name)
        elif field.message_type is not None:
            for inner in value if field.is_repeated else [value]:
                drop_ids(inner)


def test_recorded_ids_are_read_as_hexadecimal() -> None:
    spans = read(Signal.TRACES, RECORDED["traces"]).resource_spans[0].scope_spans[0].spans
    assert [span.trace_id.hex() for span in spans] == ["5b8efff798038103d269b633813fc60c"] * 2
    assert [span.parent_span_id.hex() for span in spans] == ["", "eee19b7ec3c1b173"]
    assert spans[1].links[0].span_id.hex() == "00000000000000ff"
    (record,) = read(Signal.LOGS, RECORDED["logs"]).resource_logs[0].scope_logs[0].log_records
    assert record.span_id.hex() == "eee19b7ec3c1b174"
