"""Loads the compiled transcoder and tests it against the reference before it serves."""

from collections.abc import Callable
from pathlib import Path

import common.scan.kernel
import shepherd.otlp.json.kernel
from common.kernels import precompile
from common.kernels.trial import load_tried
from common.scan.events import MalformedBody
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.json.interface import Transcoder
from shepherd.otlp.json.transcode import ReferenceTranscoder

SOURCES = (common.scan.kernel, shepherd.otlp.json.kernel)
_VALUES = (
    b'{"stringValue":"a\\n\\ud83d\\ude00\\ud800"}',
    b'{"boolValue":true}',
    b'{"intValue":"-12"}',
    b'{"intValue":1e+21}',
    b'{"doubleValue":-2.5e3}',
    b'{"doubleValue":3}',
    b'{"doubleValue":null}',
    b'{"arrayValue":{"values":[{},null,{"kvlist_value":{"values":[]}},"bare"]}}',
    b'{"bytesValue":"AP8="}',
)
_ATTRIBUTES = b",".join(b'{"key":"k","value":%b}' % value for value in _VALUES)
_SPAN = (
    b'{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174","name":"n",'
    b'"kind":2,"startTimeUnixNano":"1795248341123456789","other":[{"x":[1.5]}],"flags":257,'
    b'"attributes":[%b],"events":[{}],"status":{"code":"STATUS_CODE_ERROR"},"parentSpanId":""}'
    % _ATTRIBUTES
)
_POINT = b'{"asInt":"7","exemplars":[],"timeUnixNano":5}'
_BUCKETS = b'{"scale":-3,"count":2,"sum":0.5,"bucketCounts":[1,"2"],"explicitBounds":[0.5]}'
_TRIAL = (
    (
        Signal.TRACES,
        b'{"resourceSpans":[{"scopeSpans": [\n{"spans":[%b]}] }]}' % b",".join([_SPAN] * 5),
    ),
    (
        Signal.LOGS,
        b'{"resource_logs":[{"scope_logs":[{"log_records":[{"severityNumber":9,"body":%b}]}]}]}'
        % _VALUES[7],
    ),
    (
        Signal.METRICS,
        b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"sum":{"isMonotonic":true,'
        b'"dataPoints":[%b]}},{"exponentialHistogram":{"dataPoints":[%b]}}]}]}]}'
        % (_POINT, _BUCKETS),
    ),
    (Signal.TRACES, b'{"resourceSpans":[{"schemaUrl":"a","schemaUrl":"\xff"}]} '),
    (Signal.TRACES, b'{"resourceSpans":[7]}'),
    (Signal.TRACES, b"{}x"),
)


def compile_all(folder: Path) -> None:
    """Compile every function that transcoding calls. Raises any error of the compiler."""
    load(folder, lambda _: None)


def load(folder: Path, on_fallback: Callable[[int], None]) -> Transcoder:
    """The compiled transcoder, after its results matched the reference. Raises if they do not."""

    def make() -> Transcoder:
        from shepherd.otlp.json.compiled.transcoder import KernelTranscoder

        return KernelTranscoder(on_fallback)

    differs = "the compiled transcoder differs from the reference in a trial"
    reference: Transcoder = ReferenceTranscoder()
    return load_tried(folder, SOURCES, make, reference, _trial, differs)


def use_cache(folder: Path) -> None:
    """Keep compiled code in this folder. Call it before importing a module of the kernel."""
    precompile.use_cache(folder, SOURCES)


def _trial(transcoder: Transcoder) -> object:
    return [_outcome(transcoder, signal, text) for signal, text in _TRIAL]


def _outcome(transcoder: Transcoder, signal: Signal, text: bytes) -> object:
    try:
        return transcoder.to_protobuf(signal, text, Work())
    except MalformedBody as error:
        return str(error)
