"""The compiled transcoder gives what the reference gives: bytes and errors."""

import random

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.scan.work_budget import TooMuchWork, Work, WorkStopped
from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.json.compiled.transcoder import KernelTranscoder
from tests.shepherd.otlp.json.messages import messages
from tests.shepherd.otlp.json.protobuf import REQUESTS, otlp_json
from tests.shepherd.otlp.json.same import RECORDED, SAMPLES, Sample, assert_same, damaged

EDGES = [
    b"", b" ", b"{}", b" {\n} \t", b"{}x", b"{} {}", b"[]", b"null", b"{", b'{"', b'{"a', b'{"a"',
    b'{"a":', b'{"a":1', b'{"a":1,', b'{"a":1,}', b"{,}", b'{"a":1 "b":2}', b'{"a":{"b":[1,{}]}}',
    b'{"a":"\xff"}', b'{"resourceSpans":null}', b'{"resourceSpans":nul}', b'{"resourceSpans":{}}',
    b'{"resourceSpans":""}', b'{"resourceSpans":7}', b'{"resourceSpans":[null,{},null]}',
    b'{"resourceSpans":[7]}', b'{"resourceSpans":[{}}', b'{"resourceSpans":[{}]',
    b'{"resourceSpans":[{},]}', b'{"resourceSpans":[,{}]}', b'{"resourceSpans":[{} {}]}',
    b'{"resourceSpans":[{"schemaUrl":"a"}],"resourceSpans":[{}]}',
    b'{"resourceSpans":[{"schemaUrl":"a"}],"resource_spans":[{}]}',
    b'{"resourceSpans":[{"instrumentationLibrarySpans":[{"instrumentationLibrary":{"name":"n"}}]}]}',
    b'{"resourceSpans":[{"instrumentation_library_spans":[{"scope":{"name":"n"}}],'
    b'"scopeSpans":[{"instrumentationLibrary":{"version":"v"},"scope":{"name":"n"}}]}]}',
    b'{"resourceSpans":[{"schema\\u0055rl":"a"}]}', b'{"resourceSpans":[{"schemaUrl":"a\x01"}]}',
    b'{"resourceSpans":[{"schemaUrl":"\xff"}]}', b'{"resourceSpans":[{"schemaUrl":"\xff\x01"}]}',
    b'{"resourceSpans":[{"resource":{"entityRefs":[{"idKeys":["a",null,1,"b"]}]}}]}',
    b'{"resourceSpans":[{"resource":7,"scopeSpans":[{"scope":"x"}]}]}',
    b'{"resourceSpans":[{"resource":{"attributes":[7,"x",[],true,null,{}]}}]}',
    b'{"resourceSpans":[{"resource":{"attributes":{"a":1},"droppedAttributesCount":01}}]}',
    b'{"resourceSpans":[{"resource":{"droppedAttributesCount":4294967295}}]}',
    b'{"resourceSpans":[{"resource":{"droppedAttributesCount":"4294967296"}}]}',
    b'{"resourceSpans":[{"resource":{"droppedAttributesCount":-1}}]}',
    b"\xef\xbb\xbf{}", b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":-1,"flags":7}]}]}]}',
]  # fmt: skip
IDS = ["", "a", "0" * 15, "0" * 16, "AbCdEf0123456789", "g" * 16, "0" * 17, "0" * 31, "0" * 32,
       "F" * 33, '"', "\\u0030" * 16, "AAAAAAAAAAA=", "é" * 8, "0" * 48]  # fmt: skip
NUMBERS = ["0", "-0", "7", "-7", "007", "1.0", "1e3", "2147483647", "2147483648", "-2147483648",
           "-2147483649", "4294967295", "4294967296", "9223372036854775807", "9223372036854775808",
           "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
           "18446744073709551616", "0.1", "-0.0", "1e-400", "1e400", "NaN", "-Infinity", "true",
           '""', '" 7 "', '"+7"', '"7.5"', '"x"', "[]", "[1]", "{}", '[1,2,null,"3",-4,1e999,0.5]',
           ]  # fmt: skip


@pytest.mark.parametrize("text", EDGES)
def test_texts_at_the_edge(transcoder: KernelTranscoder, text: bytes) -> None:
    assert_same(transcoder, Sample(Signal.TRACES, text))


def test_every_form_of_an_id(transcoder: KernelTranscoder) -> None:
    for written in IDS:
        text = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"@","name":"n"}]}]}]}'
        assert_same(transcoder, Sample(Signal.TRACES, text.replace("@", written).encode()))


def test_every_form_of_a_number_in_every_field(transcoder: KernelTranscoder) -> None:
    point = '"count":@,"sum":@,"scale":@,"flags":@,"timeUnixNano":@,"zeroThreshold":@,"min":@'
    rest = '"positive":{"offset":@,"bucketCounts":@},"exemplars":[{"asInt":@},{"asDouble":@}]'
    histogram = '"bucketCounts":@,"explicitBounds":@,"count":@'
    metrics = (
        f'{{"exponentialHistogram":{{"aggregationTemporality":@,"dataPoints":[{{{point},{rest}}}]}}}},'
        f'{{"histogram":{{"dataPoints":[{{{histogram}}}]}}}},'
        '{"sum":{"isMonotonic":@,"dataPoints":[{"asInt":@}]}}'
    )
    text = f'{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{metrics}]}}]}}]}}'
    for number in NUMBERS:
        assert_same(transcoder, Sample(Signal.METRICS, text.replace("@", number).encode()))
        quoted = text.replace("@", f'"{number}"') if '"' not in number else text
        assert_same(transcoder, Sample(Signal.METRICS, quoted.encode()))
        log = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":@,"severityNumber":@}]}]}]}'
        assert_same(transcoder, Sample(Signal.LOGS, log.replace("@", number).encode()))


def test_strings_of_every_length_with_and_without_escapes(transcoder: KernelTranscoder) -> None:
    text = b'{"resourceSpans":[{"schemaUrl":"@"},{"resource":{"attributes":[{"key":"@"}]}}]}'
    for size in [*range(100), *range(120, 140), 16_380, 16_390, 70_000]:
        for unit in (b"x", b"\\n", b"\\u00e9", b"\xe2\x82\xac", b"\\ud800"):
            written = text.replace(b"@", unit * size)
            assert_same(transcoder, Sample(Signal.TRACES, written))


@pytest.mark.parametrize("depth", [1, 10, 62, 63, 64, 68, 69, 70, 71, 100, 230, 260, 500])
@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ('{"arrayValue":{"values":[', "]}}"),
        ('{"kvlistValue":{"values":[{"key":"k","value":', "}]}}"),
        ("[", "]"),
    ],
)
def test_values_of_every_depth(
    transcoder: KernelTranscoder, depth: int, opening: str, closing: str
) -> None:
    value = opening * depth + '{"intValue":"1"}' + closing * depth
    text = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":@,"flags":1}]}]}]}'
    assert_same(transcoder, Sample(Signal.LOGS, text.replace("@", value).encode()))
    text = '{"resourceLogs":[{"other":@}]}'
    assert_same(transcoder, Sample(Signal.LOGS, text.replace("@", value).encode()))


@settings(max_examples=150, deadline=None)
@given(data=st.data(), signal=st.sampled_from(list(Signal)), indented=st.booleans())
def test_any_message(
    transcoder: KernelTranscoder, data: st.DataObject, signal: Signal, indented: bool
) -> None:
    document = otlp_json(data.draw(messages(REQUESTS[signal])))
    text = orjson.dumps(document, option=orjson.OPT_INDENT_2 if indented else 0)
    assert_same(transcoder, Sample(signal, text))


def test_damaged_texts(transcoder: KernelTranscoder) -> None:
    dice = random.Random(7)
    for sample in SAMPLES:
        assert_same(transcoder, sample)
    for _ in range(5_000):
        assert_same(transcoder, damaged(dice))


def large(spans: int) -> bytes:
    """A text of about 250 bytes a span, among them values that only the reference writes."""
    many = []
    for n in range(spans):
        value = {"intValue": 1e21} if n % 50 == 0 else {"stringValue": "é\n" * (n % 40)}
        attributes = [{"key": "n", "value": {"intValue": str(n)}}, {"key": "v", "value": value}]
        many.append({"traceId": f"{n:032x}", "spanId": f"{n:016x}", "attributes": attributes})
    return orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": many}]}]})


def test_a_text_in_many_passes() -> None:
    in_small_steps = KernelTranscoder(pass_bytes=10)
    for sample in SAMPLES:
        assert_same(in_small_steps, sample)


def test_texts_of_several_passes(transcoder: KernelTranscoder) -> None:
    for spans in (2_000, 8_000):  # the larger one has memory of its own
        assert_same(transcoder, Sample(Signal.TRACES, large(spans)))


def test_usual_texts_need_no_reference() -> None:
    handed: list[int] = []
    transcoder = KernelTranscoder(handed.append)
    text = (
        RECORDED["traces"].replace('{"intValue":1e+21}', "{}").replace("9223372036854776000", "1")
    )
    text = text.replace('"AP8+Pw=="', "null")
    assert transcoder.to_protobuf(Signal.TRACES, text.encode(), Work())
    assert not handed
    transcoder.to_protobuf(Signal.TRACES, RECORDED["traces"].encode(), Work())
    assert len(handed) == 3  # a value each


def test_work_is_counted_and_stopped(transcoder: KernelTranscoder) -> None:
    text = large(4_000)
    work = Work()
    transcoder.to_protobuf(Signal.TRACES, text, work)
    assert 2_500_000 - work.left < len(text) // 500
    with pytest.raises(TooMuchWork):
        transcoder.to_protobuf(Signal.TRACES, text, Work(200))
    stopped = Work()
    stopped.stop()
    with pytest.raises(WorkStopped):
        transcoder.to_protobuf(Signal.TRACES, text, stopped)
    assert transcoder.intact()
