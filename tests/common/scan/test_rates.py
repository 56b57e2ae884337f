"""No sample rate costs an event: what cannot be read means 1, and is counted."""

import msgpack
import pytest

from common import limits
from common.scan import fast_json, fast_msgpack, json_events, msgpack_events
from common.scan.events import Accepted, Mended, Rule
from common.scan.rates import read_rate

COUNTED = (Mended(Rule.SAMPLE_RATE, "samplerate"),)
MOST = limits.SAMPLE_RATE_MAX
TEXTS = [
    ("", 1, False), (" ", 1, False), ("0", 1, False), ("0.0", 1, False), ("-0", 1, False),
    ("1", 1, False), ("10", 10, False), (" 10 ", 10, False), ("2.0", 2, False),
    ("1e3", 1000, False),
    (str(MOST), MOST, False), ("+5", 5, False), ("-1", 1, True), ("-5.5", 1, True),
    ("0.4", 1, True), ("1.4", 1, True), ("1.5", 2, True), ("2.5", 3, True),
    (str(MOST + 1), MOST, True),
    ("1e300", MOST, True), ("1e999", 1, True), ("abc", 1, True), ("1/10", 1, True),
    ("10%", 1, True),
    ("1_0", 1, True), ("٣", 1, True), ("NaN", 1, True), ("inf", 1, True), ("0x10", 1, True),
    ("true", 1, True), ("1" * 41, 1, True), ("\0", 1, True), ("1 2", 1, True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "rate", "counted"), TEXTS)
def test_every_text(text: str, rate: int, counted: bool) -> None:
    assert read_rate(text) == (rate, COUNTED if counted else ())


@pytest.mark.parametrize("split", [json_events.split_batch, fast_json.split_batch])
@pytest.mark.parametrize(
    ("raw", "rate", "counted"),
    [("0", 1, False), ("null", 1, False), ('""', 1, False), ("7", 7, False), ('"7"', 7, False),
     ("-3", 1, True), ("2.5", 3, True), ('"abc"', 1, True), ("true", 1, True), ("[7]", 1, True),
     ("{}", 1, True), ("NaN", 1, True), ('"\\ud800"', 1, True)],
)  # fmt: skip
def test_every_json_value(split: object, raw: str, rate: int, counted: bool) -> None:
    body = f'[{{"data":{{"a":1}},"samplerate":{raw}}}]'.encode()
    assert split(body, 0, 5) == [  # type: ignore[operator]  # one of the splitters
        Accepted(5, rate, b'{"a":1}', COUNTED if counted else ())
    ]


@pytest.mark.parametrize("split", [msgpack_events.split_msgpack_batch, fast_msgpack.split_batch])
@pytest.mark.parametrize(
    ("value", "rate", "counted"),
    [(0, 1, False), (None, 1, False), ("", 1, False), (7, 7, False), (7.0, 7, False),
     ("7", 7, False), (-3, 1, True), (2.5, 3, True), ("abc", 1, True), (True, 1, True),
     ([7], 1, True), ({}, 1, True), (float("nan"), 1, True), (2**63, MOST, True),
     (msgpack.Timestamp(1, 0), 1, True)],
)  # fmt: skip
def test_every_msgpack_value(split: object, value: object, rate: int, counted: bool) -> None:
    body = msgpack.packb([{"data": {"a": 1}, "samplerate": value}])
    assert split(body, 0, 5) == [  # type: ignore[operator]  # one of the splitters
        Accepted(5, rate, b'{"a":1}', COUNTED if counted else ())
    ]
