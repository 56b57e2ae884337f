"""Loads the compiled splitter and tests it against the reference before it serves."""

from collections.abc import Callable
from pathlib import Path

import msgpack

import common.scan.kernel
import shepherd.honeycomb.split.kernel
import shepherd.honeycomb.split.kernel.msgpack
from common import limits
from common.kernels import precompile
from common.kernels.trial import load_tried
from common.scan.events import MalformedBody
from shepherd.honeycomb.media import Media
from shepherd.honeycomb.split.interface import Splitter
from shepherd.honeycomb.split.reference import ReferenceSplitter
from shepherd.ingest.decoded_events import Decoded

SOURCES = (
    common.scan.kernel,
    shepherd.honeycomb.split.kernel,
    shepherd.honeycomb.split.kernel.msgpack,
)
_TRIAL_NS = 1_700_000_000_000_000_001
_TRIAL_DEPTH = 1
_TRIAL = (
    b'[{"data":{"a":1,"b":"x","c":[1, 2],"d":true,"e":null}},\n'
    b'{"time":1700000000.25,"samplerate":10,"data":{"a":-2.5e3,"b":"\xc3\xa9\\n\\ud83d\\ude00"}},'
    b'{"time":"2023-11-14T22:13:20.123+01:00","data":{"o":{"p":{"q":\r\n1}},"a":7}, "x":[{}]},'
    b'{"time":1700000000123,"d\\u0061ta":{"a":1}},{"time":"x","data":{"a":1}},'
    b'{"data":{}},7]',
    b'[{"data":{"a":NaN}},{"data":{"a":1},"samplerate":2.0},{"data":{"a":"\xff"}},{}]',
    b'[{"data":{"a":1}}] ',
    b"[]",
    b'[{"data":{"a":01}}]',
)
_DATA = {"a": -1, "b": "é\n\u20ac" * 12, "c": [1.5, 2**64 - 1], "d": True, "e": {"f": None}}
_TRIAL_PACKED = (
    msgpack.packb(
        [
            {"data": _DATA, "time": 1_700_000_000.25, "samplerate": 10},
            {
                "time": msgpack.Timestamp(1_700_000_000, 5),
                "data": {"n": 2.5e-7},
                "other": [{}, b"x"],
            },
            {"time": "2023-11-14T22:13:20Z", "data": {7: b"y"}, "samplerate": 2.0},
            {"data": {}},
            7,
        ]
    ),
    msgpack.packb([{"data": {"a": float("nan")}}]) + b"\xc1",
)


def compile_all(folder: Path) -> None:
    """Compile every function that splitting calls. Raises any error of the compiler."""
    load(folder, lambda _: None)


def load(
    folder: Path,
    on_fallback: Callable[[int], None],
    string_max: int = limits.STRING_BYTES_MAX,
) -> Splitter:
    """The compiled splitter, after its results matched the reference. Raises if they do not."""

    def make() -> Splitter:
        from shepherd.honeycomb.split.compiled.splitter import KernelSplitter

        return KernelSplitter(on_fallback=on_fallback, string_max=string_max)

    differs = "the compiled splitter differs from the reference in a trial"
    reference: Splitter = ReferenceSplitter(string_max)
    return load_tried(folder, SOURCES, make, reference, _trial, differs)


def use_cache(folder: Path) -> None:
    """Keep compiled code in this folder. Call it before importing a module of the kernel."""
    precompile.use_cache(folder, SOURCES)


def _trial(splitter: Splitter) -> object:
    json = [_outcome(splitter, body, Media.JSON) for body in _TRIAL]
    return json, [_outcome(splitter, body, Media.MSGPACK) for body in _TRIAL_PACKED]


def _outcome(splitter: Splitter, body: bytes, media: Media) -> object:
    try:
        found: Decoded = splitter.split(body, media, _TRIAL_DEPTH, _TRIAL_NS)
    except MalformedBody as error:
        return str(error)
    lines = found.lines
    return (
        found.events,
        lines.text,
        lines.line_bytes.tolist(),
        lines.data_bytes.tolist(),
        list(found.refused),
        list(found.mended),
    )
