"""Events of several owners wait apart, each in bodies of a bounded size, and none is lost."""

import orjson

from common import limits
from common.clock import SystemClock
from common.process.telemetry import Owner, TelemetryQueue

FIRST = Owner("t", "T", "t", "e1", "E1", "e1")
SECOND = Owner("t", "T", "t", "e2", "E2", "e2")


def test_owners_take_turns_and_no_body_is_too_large() -> None:
    queue = TelemetryQueue(SystemClock(), role="query")
    text = "x" * 4_000
    for number in range(1_000):
        queue.emit_for(FIRST, "query", asked=text, number=number)
    queue.emit_for(SECOND, "query", asked="y", number=0)
    queue.emit("other")
    assert b'"other"' in queue.take()
    owners: list[Owner] = []
    numbers: list[int] = []
    while (owned := queue.take_owned()) is not None:
        owner, body = owned
        owners.append(owner)
        assert len(body) <= limits.TELEMETRY_BODY_BYTES_MAX
        if owner == FIRST:
            numbers += [event["data"]["number"] for event in orjson.loads(body)]
    assert owners[:2] == [FIRST, SECOND]
    assert owners.count(SECOND) == 1
    assert numbers == list(range(1_000))


def test_all_owners_together_are_bounded() -> None:
    queue = TelemetryQueue(SystemClock())
    for number in range(limits.TELEMETRY_QUEUE_EVENTS_MAX + 10):
        queue.emit_for(FIRST if number % 2 else SECOND, "query")
    queue.emit("other")
    assert not queue.take()
    taken = 0
    while (owned := queue.take_owned()) is not None:
        taken += owned[1].count(b'"name"')
    assert taken == limits.TELEMETRY_QUEUE_EVENTS_MAX
    queue.emit("other")
    assert queue.take()


def test_a_text_that_cannot_be_sent_stops_no_other_event() -> None:
    queue = TelemetryQueue(SystemClock())
    for text in ("a", "\udcff", "b"):
        queue.emit_for(FIRST, "query", client=text)
        queue.emit("other", client=text)
    owned = queue.take_owned()
    assert owned is not None
    for body in (owned[1], queue.take()):
        assert [one["data"]["client"] for one in orjson.loads(body)] == ["a", "b"]
    for _ in range(limits.TELEMETRY_QUEUE_EVENTS_MAX):  # what was dropped takes no room
        queue.emit("other")
    assert orjson.loads(queue.take())
    assert queue._waiting == limits.TELEMETRY_QUEUE_EVENTS_MAX - limits.TELEMETRY_BATCH_EVENTS_MAX
