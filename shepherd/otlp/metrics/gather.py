"""Gathers data points into events: one per resource, scope, attributes and time.

Each metric is a field of the event. An event is bounded like those of clients; a point for which
there is no room, and a second point of the same metric, begin another event of the same attributes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

from common import limits
from common.scan.events import MalformedBody, Mended
from shepherd.otlp.metrics.values import Point, Value

START: Final = "meta.start_time_ns"
_START_SUFFIX: Final = ".start_time_ns"


@dataclass(slots=True)
class MetricEvent:
    """An event of metrics as it grows.

    item: the number of its first point in the request.
    shared, time_ns: what all its points have.
    attributes: of all its points, as JSON by name: a request may have very many events.
    start_ns: of its first point that has one, unix ns; 0: none.
    points: how many it holds.
    fields: values by the names of columns.
    bytes: of these fields as JSON.
    """

    item: int
    shared: int
    attributes: bytes
    attributes_count: int
    time_ns: int
    start_ns: int = 0
    points: int = 0
    fields: dict[str, Value] = field(default_factory=dict)
    mended: tuple[Mended, ...] = ()
    bytes: int = 0


class PointGatherer:
    """Takes the points of one request in their order. `events` are in the order of their first."""

    def __init__(self, events_max: int) -> None:
        self.events: list[MetricEvent] = []
        self._events_max = events_max
        self._open: dict[tuple[int, int, bytes], MetricEvent] = {}

    def add(self, point: Point, others: int) -> None:
        """Add a point to its event, or begin one. Raises MalformedBody for too many events.

        others: how many fields its event has that come neither from points nor their attributes.
        """
        written = orjson.dumps(point.attributes, option=orjson.OPT_SORT_KEYS)
        attributes = bytes(memoryview(written))  # orjson's own take 4 kB each
        key = (point.shared, point.time_ns, attributes)
        event = self._open.get(key)
        fields = dict(point.fields.values)
        if event is not None:
            fields |= _own_start(event, point)
        size = len(orjson.dumps(fields))
        if event is None or not _fits(event, fields, size, others):
            if len(self.events) == self._events_max:
                raise MalformedBody(f"more than {self._events_max} events")
            event = MetricEvent(
                point.item, point.shared, attributes, len(point.attributes), point.time_ns
            )
            self._open[key] = event
            self.events.append(event)
            fields = dict(point.fields.values)
        event.fields |= fields
        if point.fields.mended:
            event.mended = tuple(dict.fromkeys((*event.mended, *point.fields.mended)))
        event.start_ns = event.start_ns or point.start_ns
        event.bytes += size
        event.points += 1


def _own_start(event: MetricEvent, point: Point) -> Mapping[str, Value]:
    """The start of a series that did not begin with the first one of its event."""
    if not point.start_ns or event.start_ns in (0, point.start_ns):
        return {}
    return {f"{point.metric}{_START_SUFFIX}": point.start_ns}


def _fits(event: MetricEvent, fields: Mapping[str, Value], size: int, others: int) -> bool:
    count = len(event.fields) + len(fields) + event.attributes_count + others
    return (
        count <= limits.EVENT_FIELDS_MAX
        and event.bytes + size <= limits.METRIC_FIELDS_BYTES_MAX
        and event.fields.keys().isdisjoint(fields)
    )
