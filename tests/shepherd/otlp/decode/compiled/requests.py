"""Requests with spans, drawn at random: ordinary ones, and ones with all that is rare."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from common import limits
from shepherd.otlp.decode.kernel import memory
from tests.shepherd.otlp.messages import START_NS, key_values, of_service, request, span

TEXTS = (
    "", "a", "GET /cart/{id}", "x" * 31, "x" * 32, "x" * 33, "y" * 64, "z" * 300,
    'a"b\\c\n\t\x00\x1f',
    "é€😀", "é" * 40, "\x7f", "e" * 15 + "é", "q" * 31 + '"', "q" * 32 + "\n", "\u2028", "u" * 127,
    "u" * 128,
)  # fmt: skip
PLAIN_NUMBERS = (0, -1, 200, 2**63 - 1, -(2**63), 0.0, 0.5, 1e-4, 49.99, 1 / 3, True, False)
NUMBERS = (
    0, 1, -1, 9, 10, 255, 99_999_999, 100_000_000, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 200,
    0.0, -0.0, 0.5, 1e-4, 9.9e-5, 1e-7, 1e15, 9999999999999998.0, 1e16, 1e300, 5e-324, 1 / 3, 49.99,
    float("inf"), float("nan"), float("-inf"), 123456.789, True, False,
)  # fmt: skip
NESTED: tuple[Any, ...] = (
    None, [], {}, [1, "a\n", None, 1.5, True], {"a": 1, "b": {"c": "x", "d": []}}, b"", b"\x00\xff",
    [[1, [2]], {"a": {"b": "é"}}], {"": 1}, {"a": None}, [float("nan")], ["ls", "-l", 'a"\\b'],
    {"name": "inner"}, [b"abc"], ["x" * 9_000], ["x" * 60_000], ["y" * 9_000] * 8, [1] * 40_000,
    ["é\"\\\n€" * 30, -1, 1e300], [1e16], [0.1, 1e-5], [True, False, None, None],
    {"k" * 70: "x", "é\"": 2.5, "l": ["x"], "n": 1}, {"x" * 65_600: 1}, {"name": 1, "b": {}},
    {"m": "x", "n": None}, {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}},
)  # fmt: skip
NAMES = (
    "http.method", "db.rows", "a", "b", "k" * 32, "k" * 33, "k" * 200, "é", 'quo"te',
    "service.name",
    "n.a", "c.d", "thread.id", "net.peer.name", "zz",
)  # fmt: skip
CLASHING = (
    "name", "error", "trace.trace_id", "trace.span_id", "trace.parent_id", "duration_ms", "type",
    "span.kind", "status_code", "status_message", "meta.signal_type", "exception.type",
    "exception.message", "library.name", "meta.invalid_duration", "parent_name",
    "meta.annotation_type", "meta.dropped_attributes_count", "trace.link.span_id",
    "scope.schema_url",
    "exception.stacktrace", "meta.time_since_span_start_ms", "trace.trace_state",
)  # fmt: skip
SCOPES = ("", "io.opentelemetry.x", "mine", "@honeycombio/", "io")
CODES = (Status.STATUS_CODE_UNSET, Status.STATUS_CODE_OK, Status.STATUS_CODE_ERROR)
RATES = (1, 20, 0, -1, 2**31 - 1, 2**31, 2.5, "7", "x", True, None, [1])
STATES = ("", "a=b", "ot=th:8", "ot=th:c;rv:1", "x=1,ot=th:fff", "th=8", "depth=1", "ot=rv:1")


def any_value(dice: random.Random, rare: float) -> Any:
    if dice.random() < rare:
        return dice.choice(NESTED)
    numbers = NUMBERS if rare else PLAIN_NUMBERS
    return dice.choice(TEXTS) if dice.random() < 0.6 else dice.choice(numbers)


def any_fields(dice: random.Random, rare: float, most: int = 8) -> dict[str, Any]:
    fields = {}
    for _ in range(dice.randrange(most)):
        name = dice.choice(CLASHING) if dice.random() < rare else dice.choice(NAMES)
        fields[name] = any_value(dice, rare)
    if dice.random() < rare / 4:
        fields[dice.choice(("sampleRate", "SampleRate"))] = dice.choice(RATES)
    return fields


def any_id(dice: random.Random, size: int, rare: float) -> bytes:
    if dice.random() < rare:
        size = dice.choice((0, 1, 7, 8, 9, 16, 17, 24))
        return dice.choice((bytes(size), bytes(8) + dice.randbytes(8), dice.randbytes(size)))
    return dice.randbytes(size)


def any_time(dice: random.Random, rare: float) -> int:
    if dice.random() < rare:
        return dice.choice((0, 1, 2**63 - 1, 2**63, 2**64 - 1, START_NS))
    return START_NS + dice.randrange(10**10)


def any_span(dice: random.Random, rare: float) -> Span:
    start = any_time(dice, rare)
    late = dice.choice((0, 100, 1_000_000, 1_234_567, dice.randrange(100, 10**15)))
    if dice.random() < rare:
        late = dice.choice((1, 99, 10**15, 10**17 + 1))
    end = any_time(dice, rare) if dice.random() < rare else min(start + late, 2**64 - 1)
    made = span(
        any_fields(dice, rare),
        trace_id=any_id(dice, 16, rare),
        span_id=any_id(dice, 8, rare),
        parent_span_id=any_id(dice, 8, rare) if dice.random() < 0.7 else b"",
        name=dice.choice(TEXTS),
        kind=dice.randrange(6),
        start_time_unix_nano=start,
        end_time_unix_nano=end,
        flags=dice.choice((0, 256, 769)),
        trace_state=dice.choice(STATES) if dice.random() < rare else "",
        dropped_attributes_count=dice.choice((0, 0, 3)),
    )
    if dice.random() < 0.3:
        message = dice.choice(("", "failed\n"))
        made.status.CopyFrom(Status(code=dice.choice(CODES), message=message))
    for _ in range(dice.choice((0, 0, 0, 1, 3))):
        made.events.add(
            name=dice.choice(("exception", "exception", "log", "")),
            time_unix_nano=any_time(dice, rare),
            attributes=key_values(
                {f"exception.{one}": any_value(dice, rare) for one in _some_exception(dice)}
                | any_fields(dice, rare, 3)
            ),
            dropped_attributes_count=dice.choice((0, 2)),
        )
    for _ in range(dice.choice((0, 0, 0, 1))):
        made.links.add(
            trace_id=any_id(dice, 16, rare),
            span_id=any_id(dice, 8, rare),
            attributes=key_values(any_fields(dice, rare, 3)),
            dropped_attributes_count=dice.choice((0, 1)),
        )
    return made


def _some_exception(dice: random.Random) -> Sequence[str]:
    return dice.sample(("type", "message", "stacktrace", "escaped"), dice.randrange(5))


def any_group(dice: random.Random, rare: float) -> ResourceSpans:
    service = dice.choice(("web", "web", " api ", "unknown_service:x", "", None, 7, "é"))
    group = of_service(service=service, resource=any_fields(dice, rare / 8, 5))
    if dice.random() < rare:
        group.schema_url = dice.choice(TEXTS)
    del group.scope_spans[:]
    for _ in range(dice.choice((0, 1, 1, 1, 2))):
        scope = ScopeSpans(spans=[any_span(dice, rare) for _ in range(dice.randrange(5))])
        if dice.random() < 0.7:
            scope.scope.name = dice.choice(
                ("", "io.opentelemetry.x", "mine", "@honeycombio/", "io")
            )
            scope.scope.version = dice.choice(("", "1.2.3"))
            scope.scope.attributes.extend(key_values(any_fields(dice, rare / 8, 3)))
        if dice.random() < rare:
            scope.schema_url = dice.choice(TEXTS)
        group.scope_spans.append(scope)
    return group


def any_request(dice: random.Random, rare: float) -> bytes:
    return request(*(any_group(dice, rare) for _ in range(dice.choice((0, 1, 1, 2, 4)))))


def at_limits() -> Iterator[bytes]:
    """Requests with a span or a resource at or beyond a limit, among others."""
    for one in _spans_at_limits():
        yield request(of_service(span({"n": 1}), one, span({"n": 2})))
    for fields in (400, memory.TAIL_FIELDS_MAX, 2_100):
        resource = {f"k{n}": "v" * 40 for n in range(fields)}
        yield request(of_service(span(), span({"k1": 7}), resource=resource))
    for size in (30_000, limits.STRING_BYTES_MAX, limits.STRING_BYTES_MAX + 1):
        yield request(of_service(span(), resource={"a": "x" * size, "b": "\n" * size}))


def _spans_at_limits() -> Iterator[Span]:
    longest = limits.STRING_BYTES_MAX
    for size in (longest, longest + 1):
        yield span({"a": "x" * size})
        yield span({"x" * size: 1})
        yield span({"a": "\n" * size})
        yield span({}, name="n" * size)
        yield span({}, trace_state="s" * size)
    for fields in (1_980, 1_990, 1_991, 1_992, 2_000, 2_001, 10_000):
        yield span({f"k{n}": n for n in range(fields)})
    yield span({f"k{n}": "v" * 9_000 for n in range(120)})  # more than a megabyte
    yield span({f"k{n}": "\x01" * 9_000 for n in range(30)})  # the same, once it is written
    yield span({}, events=[Span.Event(name="e")] * (memory.ROWS_MAX + 1))
    yield span({}, events=[Span.Event(name="x" * 60_000)] * 40)
    yield span({"k" * 60_000 + str(n): n for n in range(15)})
