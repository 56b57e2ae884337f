"""The compiled decoder gives what the reference gives: lines, items, refusals, errors (I9)."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from shepherd.otlp.decode.compiled.decoder import KernelDecoder
from shepherd.otlp.decode.kernel import memory
from tests.fuzz.mutate import mutated
from tests.shepherd.otlp.decode.compiled.requests import (
    CLASHING,
    NESTED,
    NUMBERS,
    RATES,
    STATES,
    TEXTS,
    any_request,
    any_span,
)
from tests.shepherd.otlp.decode.compiled.same import assert_same
from tests.shepherd.otlp.messages import START_NS, key_values, of_service, request, span

LIST = ["a\n", 1, None]
ORDINARY = {"http.method": "GET", "n": 1, "f": 0.25, "b": True, "text": "é\n", "list": LIST}
WITH_OBJECT = {**ORDINARY, "o": {"a": 1, "b": LIST, "c": "x"}, "e": {}, "o.d": 2}


def sample(seed: int = 7, spans: int = 3) -> bytes:
    dice = random.Random(seed)
    return request(*(of_service(*(any_span(dice, 0) for _ in range(spans))) for _ in range(2)))


@settings(max_examples=150)
@given(st.integers(0, 2**32), st.sampled_from([0, 0.02, 0.1, 0.5]))
def test_generated_requests(decoder: KernelDecoder, seed: int, rare: float) -> None:
    assert_same(decoder, any_request(random.Random(seed), rare))


@pytest.mark.parametrize("value", [*TEXTS, *NUMBERS, *NESTED])
def test_every_value(decoder: KernelDecoder, value: object) -> None:
    inside = span({"before": 1, "a": value, "after": "x"})
    assert_same(decoder, request(of_service(span(ORDINARY), inside, span(ORDINARY))))
    assert_same(decoder, request(of_service(span({"a": 2, "b": 3}), resource={"a": value})))
    event = Span.Event(name="e", attributes=key_values({"a": value, "exception.type": value}))
    exception = Span.Event(name="exception", attributes=key_values({"exception.type": value}))
    assert_same(decoder, request(of_service(span(ORDINARY, events=[event, exception]))))


@settings(max_examples=100)
@given(
    st.lists(st.floats() | st.integers(-(10**16), 10**16).map(lambda n: n / 10**6), max_size=50),
    st.lists(st.integers(0, 10**17) | st.integers(0, 10**9), min_size=1, max_size=50),
)
def test_doubles_and_durations(
    decoder: KernelDecoder, doubles: list[float], durations: list[int]
) -> None:
    spans = [span({"a": one, "b": -one}) for one in doubles]
    spans += [span(end_time_unix_nano=START_NS + one) for one in durations]
    assert_same(decoder, request(of_service(*spans)))


@pytest.mark.parametrize("name", CLASHING)
def test_names_that_several_have(decoder: KernelDecoder, name: str) -> None:
    for fields in ({name: "own"}, {name: 1, "x": 2}, {}):
        for resource in ({name: "resource"}, {}):
            exception = Span.Event(name="exception", attributes=key_values({name: "of the event"}))
            one = span(fields, events=[exception], links=[Span.Link(attributes=key_values(fields))])
            one.status.code = Status.STATUS_CODE_ERROR
            message = request(of_service(one, span(ORDINARY), span(fields), resource=resource))
            assert_same(decoder, message)


def test_rates_of_attributes_and_trace_states(decoder: KernelDecoder) -> None:
    for rate in RATES:
        for name in ("sampleRate", "SampleRate", "samplerate"):
            for state in STATES:
                one = span({name: rate, "a": 1}, trace_state=state)
                one.events.add(name="e")
                assert_same(decoder, request(of_service(one, span())))
            assert_same(decoder, request(of_service(span({"a": 1}), resource={name: rate})))
            both = span({name: rate, "SampleRate": 3})
            assert_same(decoder, request(of_service(both, resource={"sampleRate": 4})))


def test_datasets_by_service_and_by_header(decoder: KernelDecoder) -> None:
    services = ("a", "a", " a", "unknown_service", "b", "", None, 1, "a", "b" * 300)
    message = request(*(of_service(span(), span(), service=one) for one in services))
    assert_same(decoder, message)
    assert_same(decoder, message, classic=True, dataset="header")
    assert_same(decoder, message, dataset="header")


def test_requests_go_on_over_the_end_of_a_pass(decoder: KernelDecoder) -> None:
    few = [span({"n": n}) for n in range(memory.ROWS_MAX + 7)]
    few[5] = span({"n": [1]})
    few[memory.ROWS_MAX + 2] = span({"n": {"a": 1}})
    assert_same(decoder, request(of_service(*few)))
    odd = [span({"n": None}) for _ in range(memory.ENTRIES_MAX + 3)]
    assert_same(decoder, request(of_service(*odd)))
    large = [span({"text": "x" * 60_000, "more": "y" * 60_000}) for _ in range(30)]
    assert_same(decoder, request(of_service(*large), of_service(*large, service="b")))


def test_names_fill_their_table_again_and_again(decoder: KernelDecoder) -> None:
    spans = [span({f"name{n}.{m}": m for m in range(50)}) for n in range(200)]
    assert_same(decoder, request(of_service(*spans, resource=ORDINARY)))
    long = [span({f"{n}" * 30_000: n, "n": 1}) for n in range(40)]
    assert_same(decoder, request(of_service(*long, resource=ORDINARY)))


def test_every_truncation(decoder: KernelDecoder) -> None:
    message = sample()
    for end in range(len(message)):
        assert_same(decoder, message[:end])


def test_every_corruption_of_one_byte(decoder: KernelDecoder) -> None:
    dice = random.Random(5)
    message = sample(spans=2)
    for at in range(len(message)):
        byte = message[at]
        for other in {byte ^ 1, byte ^ 0x80, byte + 1 & 255, dice.randrange(256)}:
            assert_same(decoder, message[:at] + bytes([other]) + message[at + 1 :])


def test_damaged_requests(decoder: KernelDecoder) -> None:
    dice = random.Random(11)
    samples = [any_request(dice, 0.1) for _ in range(40)]
    for _ in range(1_500):
        assert_same(decoder, mutated(dice, dice.choice(samples), samples, 4_000))


def test_ordinary_spans_are_read_by_the_kernel_alone(
    counting: KernelDecoder, handed: list[int]
) -> None:
    assert_same(counting, sample(spans=200))
    assert_same(counting, request(of_service(span(ORDINARY), span(ORDINARY), resource=ORDINARY)))
    assert_same(counting, request(of_service(span(WITH_OBJECT), resource={"o.a": 3, "h": 1})))
    assert handed == []


def test_each_item_that_is_odd_is_handed_alone(counting: KernelDecoder, handed: list[int]) -> None:
    odd = span({"a": float("nan")})
    assert_same(counting, request(of_service(span(), odd, span(), odd, odd), of_service(span())))
    assert handed == [3]
