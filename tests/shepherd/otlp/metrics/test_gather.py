"""Data points become events: one per resource, scope, attributes and time."""

from typing import Any

import orjson
import pytest

from common import limits
from common.scan.events import MalformedBody, Mended, Rule
from shepherd.otlp.metrics.gather import MetricEvent, PointGatherer
from shepherd.otlp.metrics.values import Fields, Point, Value

OTHERS = 3


def gathered(*points: Point, events_max: int = 1_000) -> list[MetricEvent]:
    gatherer = PointGatherer(events_max)
    for point in points:
        gatherer.add(point, OTHERS)
    return gatherer.events


def point(
    item: int,
    name: str,
    value: Value = 1,
    shared: int = 0,
    time_ns: int = 9,
    start_ns: int = 0,
    **attributes: Value,
) -> Point:
    return Point(name, item, shared, attributes, time_ns, start_ns, Fields(((name, value),)))


def test_points_of_the_same_attributes_and_time_are_one_event() -> None:
    (event,) = gathered(
        point(0, "a", 1, host="x", port=1),
        point(1, "b", 2.5, port=1, host="x"),
    )
    assert event.fields == {"a": 1, "b": 2.5}
    assert orjson.loads(event.attributes) == {"host": "x", "port": 1}
    assert (event.item, event.points, event.time_ns, event.start_ns) == (0, 2, 9, 0)


@pytest.mark.parametrize(
    "other",
    [{"shared": 1}, {"time_ns": 10}, {"host": "y"}, {"host": "x", "port": 1}, {"host": True}],
)
def test_other_resources_scopes_attributes_and_times_have_their_own(other: dict[str, Any]) -> None:
    first, second = gathered(point(0, "a", host="x"), point(1, "b", **({"host": "x"} | other)))
    assert (first.fields, second.fields) == ({"a": 1}, {"b": 1})
    assert (second.item, second.points) == (1, 1)


def test_true_and_one_are_two_attributes() -> None:
    assert len(gathered(point(0, "a", up=True), point(1, "b", up=1), point(2, "c", up=1.0))) == 3


def test_a_second_point_of_a_metric_begins_another_event_and_none_is_lost() -> None:
    events = gathered(
        *(point(number, name, number) for number, name in enumerate("aabbca")), point(6, "a", 6)
    )
    assert [event.fields for event in events] == [
        {"a": 0},
        {"a": 1, "b": 2},
        {"b": 3, "c": 4, "a": 5},
        {"a": 6},
    ]
    assert sum(event.points for event in events) == 7


def test_an_event_has_no_more_fields_than_one_of_a_client() -> None:
    attributes: dict[str, Value] = {f"k{number}": number for number in range(1_000)}
    points = [point(number, f"m{number}", **attributes) for number in range(2_500)]
    events = gathered(*points)
    room = limits.EVENT_FIELDS_MAX - 1_000 - OTHERS
    assert [len(event.fields) for event in events] == [room, room, 2_500 - 2 * room]


def test_an_event_has_no_more_bytes_than_one_of_a_client() -> None:
    text = "\u00e4" * 30_000
    events = gathered(*(point(number, f"m{number}", text) for number in range(20)))
    assert [len(event.fields) for event in events] == [8, 8, 4]
    assert all(event.bytes <= limits.METRIC_FIELDS_BYTES_MAX for event in events)


def test_the_first_start_is_that_of_the_event_and_others_stand_beside_their_metric() -> None:
    (event,) = gathered(
        point(0, "gauge"),
        point(1, "a", start_ns=5),
        point(2, "b", start_ns=5),
        point(3, "c", start_ns=7),
    )
    assert event.start_ns == 5
    assert event.fields == {"gauge": 1, "a": 1, "b": 1, "c": 1, "c.start_time_ns": 7}


def test_what_is_not_stored_as_sent_is_noted_once_per_event() -> None:
    mended = Mended(Rule.NOT_FINITE, "a.sum")
    points = [
        Point("a", number, 0, {}, 9, 0, Fields(((f"a{number}", 1),), (mended,)))
        for number in range(2)
    ]
    (event,) = gathered(*points)
    assert event.mended == (mended,)


def test_events_are_bounded() -> None:
    points = [point(number, "a", time_ns=number) for number in range(3)]
    assert len(gathered(*points, events_max=3)) == 3
    with pytest.raises(MalformedBody, match="more than 2 events"):
        gathered(*points, events_max=2)
