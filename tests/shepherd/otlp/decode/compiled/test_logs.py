"""The compiled decoder gives of log records what the reference gives, whatever they hold (I9)."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.scan.work_budget import TooMuchWork, Work
from shepherd.otlp.decode.compiled.decoder import KernelDecoder
from shepherd.otlp.decode.interface import OtlpBody, Signal
from shepherd.otlp.decode.kernel import memory
from tests.fuzz.mutate import mutated
from tests.shepherd.otlp.decode.compiled import same
from tests.shepherd.otlp.decode.compiled.log_requests import (
    BODIES,
    CLASHING,
    any_record,
    any_request,
    at_limits,
)
from tests.shepherd.otlp.decode.compiled.requests import NESTED, NUMBERS, RATES, TEXTS
from tests.shepherd.otlp.decode.compiled.test_hostile import ODD_SPANS, field
from tests.shepherd.otlp.messages import ARRIVAL_NS, SPAN, TRACE
from tests.shepherd.otlp.signals import logs_of, logs_request, record

ORDINARY = {"http.method": "GET", "n": 1, "f": 0.25, "b": True, "text": "é\n", "list": ["a", None]}
RAW = record("text", {"a": 1}).SerializeToString()


def assert_same(decoder: KernelDecoder, message: bytes, **more: Any) -> object:
    return same.assert_same(decoder, message, Signal.LOGS, **more)


def sample(records: int = 3) -> bytes:
    dice = random.Random(7)
    groups = ([any_record(dice, 0) for _ in range(records)] for _ in range(2))
    return logs_request(*(logs_of(*some, resource={"service.name": "web"}) for some in groups))


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from([0, 0.02, 0.1, 0.5]))
def test_generated_requests(decoder: KernelDecoder, seed: int, rare: float) -> None:
    assert_same(decoder, any_request(random.Random(seed), rare))


def test_every_value_as_body_and_as_attribute(decoder: KernelDecoder) -> None:
    values = (*TEXTS, *NUMBERS, *NESTED, *BODIES)
    plain = [record(one, {"before": 1, "a": one, "after": "x"}) for one in values]
    own = [record(one, {"body": "mine", "body.a": 1, "body.b": one}) for one in values]
    assert_same(decoder, logs_request(logs_of(record("b", ORDINARY), *plain, *own)))
    for value in (*TEXTS[:8], *NUMBERS, *BODIES[:6]):
        resource = {"a": value, "body": value, "body.a": "inherited"}
        assert_same(
            decoder, logs_request(logs_of(record({"a": 1}), record("b"), resource=resource))
        )


def test_names_that_several_have(decoder: KernelDecoder) -> None:
    for name in CLASHING:
        for fields in ({name: "own"}, {name: 1, "x": 2}, {}):
            for resource in ({name: "resource"}, {}):
                full = record(
                    {"a": 1, "c": "x"}, fields, severity_number=9, severity_text="I",
                    event_name="e", trace_id=TRACE, span_id=SPAN, flags=1,
                    dropped_attributes_count=2,
                )  # fmt: skip
                message = logs_request(logs_of(full, record("b", fields), resource=resource))
                assert_same(decoder, message)


def test_rates(decoder: KernelDecoder) -> None:
    for rate in RATES:
        for name in ("sampleRate", "SampleRate", "samplerate"):
            one = record("b", {name: rate, "a": 1})
            assert_same(decoder, logs_request(logs_of(one, record("c"))))
            assert_same(decoder, logs_request(logs_of(one, record(), resource={name: rate})))
        assert_same(decoder, logs_request(logs_of(record({"sampleRate": rate}))))


def test_datasets_by_service_and_by_header(decoder: KernelDecoder) -> None:
    services = ("a", "a", " a", "unknown_service", "b", "", None, 1, "a", "b" * 300)
    groups = (
        logs_of(record("b"), resource={} if one is None else {"service.name": one})
        for one in services
    )
    message = logs_request(*groups)
    for more in ({}, {"classic": True, "dataset": "header"}, {"dataset": "header"}):
        assert_same(decoder, message, **more)


def test_records_at_and_beyond_every_limit(decoder: KernelDecoder) -> None:
    for message in at_limits():
        assert_same(decoder, message)


def test_requests_go_on_over_the_end_of_a_pass(decoder: KernelDecoder) -> None:
    few = [record("b", {"n": n}) for n in range(memory.ROWS_MAX + 7)]
    few[5] = record(b"x")
    few[memory.ROWS_MAX + 2] = record({"n": {"a": 1}})
    assert_same(decoder, logs_request(logs_of(*few)))
    odd = [record(None, {"n": None}) for _ in range(memory.ENTRIES_MAX + 3)]
    assert_same(decoder, logs_request(logs_of(*odd)))
    work = Work(100)
    large = logs_request(*[logs_of(record("x" * 9_000), resource=ORDINARY)] * 300)
    with pytest.raises(TooMuchWork):
        decoder.decode(OtlpBody(Signal.LOGS, large, ARRIVAL_NS), work)


def test_every_truncation_and_corruption_of_one_byte(decoder: KernelDecoder) -> None:
    dice = random.Random(5)
    message = sample(1)
    for at in range(len(message)):
        assert_same(decoder, message[:at])
        for other in (message[at] ^ 1, dice.randrange(256)):
            assert_same(decoder, message[:at] + bytes([other]) + message[at + 1 :])


def test_damaged_requests(decoder: KernelDecoder) -> None:
    dice = random.Random(11)
    made = (any_request(dice, 0.1) for _ in range(60))
    samples = [one for one in made if 0 < len(one) < 4_000]
    for _ in range(600):
        assert_same(decoder, mutated(dice, dice.choice(samples), samples, 4_000))


def test_odd_records(decoder: KernelDecoder) -> None:
    more = [
        b"\x2a\x00", b"\x2a\x02\x0a\x00", b"\x2a\x01\x0a", b"\x2a\x04\x0a\x01a\x18",
        b"\x2a\x05\x0a\x01a\x18\x01", b"\x2a\x02\x32\x00", b"\x2a\x02\x2a\x00", b"\x2a\x02\x3a\x00",
        b"\x2a\x0b\x32\x09\x0a\x07\x0a\x01k\x12\x02\x18\x01", b"\x2a\x03\x0a\x01a\x2a\x00",
        b"\x2a\x09\x32\x07\x0a\x05\x0a\x01k\x12\x00", b"\x45\x01\x00\x00\x00", b"\x45\x01",
        b"\x4a\x01\x00", b"\x4a\x10" + bytes(16), b"\x52\x08" + bytes(8), b"\x52\x01\x01",
        b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x38\xff\x01", b"\x62\x01\xff",
        b"\x32\x02\x0a\x01", b"\x59\x01\x00\x00\x00\x00\x00\x00\x80", b"\x1a\x01\xff",
        b"\x09\x01\x00\x00\x00\x00\x00\x00\x80",
    ]  # fmt: skip
    for raw in (*ODD_SPANS, *more):
        for one in (raw, RAW + raw, raw + RAW):
            group = field(b"\x12", field(b"\x12", one) + field(b"\x12", RAW))
            assert_same(decoder, field(b"\x0a", group))


def test_scopes_in_the_field_that_they_had_while_they_were_called_libraries(
    decoder: KernelDecoder,
) -> None:
    scope = field(b"\x0a", b"\x0a\x01n") + field(b"\x12", RAW)
    former = field(b"\xc2\x3e", scope)
    assert "library.name" in str(assert_same(decoder, field(b"\x0a", former)))
    assert_same(decoder, field(b"\x0a", field(b"\x12", scope) + former + field(b"\x12", scope)))
    assert_same(decoder, field(b"\x0a", field(b"\x12", former)))  # it is no record


def test_ordinary_records_are_read_by_the_kernel_alone(
    counting: KernelDecoder, handed: list[int]
) -> None:
    assert_same(counting, sample(200))
    untraced = record(None, ORDINARY, trace_id=bytes(16), span_id=bytes(8))
    bodies = [record(one) for one in ("x", "", 7, 0.5, False, ["a", 1, None], {})]
    bodies += [record({"msg": "a\n", "list": [1, "b"], 'n"': 1}), record({"a": "x"}, {"b": 1})]
    assert_same(counting, logs_request(logs_of(untraced, *bodies, resource=ORDINARY)))
    assert handed == []


def test_each_record_that_is_odd_is_handed_alone(
    counting: KernelDecoder, handed: list[int]
) -> None:
    odd = record(b"\x00")
    message = logs_request(logs_of(record("a"), odd, record("b"), odd), logs_of(record("c")))
    assert_same(counting, message)
    assert handed == [2]
