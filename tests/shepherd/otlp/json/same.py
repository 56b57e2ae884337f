"""Compares the compiled transcoder with the readable one."""

import random
from pathlib import Path
from typing import NamedTuple

import orjson

from common.scan.events import MalformedBody
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.json.compiled.transcoder import KernelTranscoder
from shepherd.otlp.json.interface import Transcoder
from shepherd.otlp.json.transcode import ReferenceTranscoder
from tests.fuzz.mutate import mutated

RECORDED = orjson.loads(Path(__file__).with_name("recorded.json").read_bytes())
SIGNALS = list(Signal)
_REFERENCE = ReferenceTranscoder()
_BYTES_MAX = 20_000
_ATTRIBUTE_VALUES = (
    '{"stringValue":"é\\n\\u0041\\ud83d\\ude00"}', '{"stringValue":"\\ud800"}', '{"stringValue":1}',
    '{"boolValue":true}', '{"boolValue":"true"}', '{"intValue":"-7"}', '{"intValue":7}',
    '{"intValue":"9223372036854775807"}', '{"intValue":"9223372036854775808"}',
    '{"intValue":1e+21}', '{"intValue":1.0}', '{"doubleValue":1}', '{"doubleValue":-0.0}',
    '{"doubleValue":null}', '{"doubleValue":"NaN"}', '{"doubleValue":NaN}', '{"doubleValue":1e999}',
    '{"bytesValue":"AP8="}', '{"arrayValue":{"values":[{"intValue":1},null,{},"bare",[1]]}}',
    '{"kvlistValue":{"values":[{"key":"k","value":{"doubleValue":0.5}}]}}', "{}", "null", '"bare"',
    '{"string_value":"a","stringValue":"b"}', '{"stringValue":"a","unknown":[{"x":1}]}',
)  # fmt: skip


class Sample(NamedTuple):
    signal: Signal
    text: bytes


def _span(value: str) -> str:
    ids = '"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174"'
    attributes = f'"attributes":[{{"key":"a","value":{value}}},{{"key":"b"}}]'
    return f'{{{ids},"name":"n","kind":2,"startTimeUnixNano":"17952483411234567",{attributes}}}'


def _traces(value: str) -> Sample:
    spans = f'{{"spans":[{_span(value)},{_span("{}")}],"schemaUrl":""}}'
    return Sample(Signal.TRACES, f'{{"resourceSpans":[{{"scopeSpans":[{spans}]}}]}}'.encode())


SAMPLES = [
    *(Sample(signal, RECORDED[signal].encode()) for signal in Signal),
    *map(_traces, _ATTRIBUTE_VALUES),
]


def outcome(transcoder: Transcoder, sample: Sample) -> bytes | str:
    """The bytes, or the error's text."""
    try:
        return transcoder.to_protobuf(sample.signal, sample.text, Work())
    except MalformedBody as error:
        return str(error)


def assert_same(transcoder: KernelTranscoder, sample: Sample) -> None:
    """Both give the same bytes or error, and no write missed its table."""
    assert outcome(transcoder, sample) == outcome(_REFERENCE, sample), sample
    assert transcoder.intact()


def damaged(dice: random.Random) -> Sample:
    """A sample with some damage."""
    sample = dice.choice(SAMPLES)
    texts = [one.text for one in SAMPLES]
    return Sample(sample.signal, mutated(dice, sample.text, texts, _BYTES_MAX))
