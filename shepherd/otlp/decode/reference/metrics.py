"""Metrics as events: one per resource, scope, attributes and time, with a field for each metric.

An item is a data point. The fields of its event go in this order, and the first of each name
counts: metrics, attributes of the points, the mapping's own, those of the scope, of the resource.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import orjson

from common import limits
from common.model.times.api import INT64_MAX
from common.scan.events import Mended, Refused, Rule
from common.scan.value_repair import changed_field
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import DecodedRequest, OtlpBody
from shepherd.otlp.decode.reference.data_points import read_point
from shepherd.otlp.decode.reference.events import Draft, Gatherer, TooManyEventBytes
from shepherd.otlp.decode.reference.origin import (
    RESOURCE_GROUP,
    members_of,
    read_resource,
    read_scope,
    scopes_of,
)
from shepherd.otlp.decode.reference.values import Attributes
from shepherd.otlp.decode.reference.wire import fields, length_delimited, text_of, varint
from shepherd.otlp.metrics.column_facts import facts_by_hash
from shepherd.otlp.metrics.gather import START, MetricEvent, PointGatherer
from shepherd.otlp.metrics.values import Fields, Kind, Metric, Point, Temporality

UNKNOWN_METRICS: Final = "unknown_metrics"
_NAME: Final = length_delimited(1)
_DESCRIPTION: Final = length_delimited(2)
_UNIT: Final = length_delimited(3)
_KINDS: Final[Mapping[int, Kind]] = {
    length_delimited(5): Kind.GAUGE,
    length_delimited(7): Kind.SUM,
    length_delimited(9): Kind.HISTOGRAM,
    length_delimited(10): Kind.EXPONENTIAL_HISTOGRAM,
    length_delimited(11): Kind.SUMMARY,
}
_POINT: Final = length_delimited(1)
_TEMPORALITY: Final = varint(2)
_MONOTONIC: Final = varint(3)
_TEMPORALITIES: Final = {1: Temporality.DELTA, 2: Temporality.CUMULATIVE}
_CORE_FIELDS: Final = 2
_BYTES_PER_UNIT: Final = 1_024  # of a scope's fields as JSON
# A column has a suffix of at most 32 bytes after its metric's name.
_NAME_BYTES_MAX: Final = limits.STRING_BYTES_MAX - 32
_NO_NAME: Final = Refused(Rule.DATA_MISSING, "the metric has no name")
_NAME_TOO_LONG: Final = Refused(
    Rule.KEY_TOO_LONG, f"the name of a metric is longer than {_NAME_BYTES_MAX} bytes"
)
_START_TIME: Final = Mended(Rule.TIME, START)


class _Data(msgspec.Struct, frozen=True, eq=False):
    """A metric with its data points still encoded.

    message: the metric's.
    tag, first: of the field that has the points of its kind, and the number of the first one that
        counts. Of fields of several kinds the last one counts; several of one kind are joined.
    """

    metric: Metric
    message: memoryview
    tag: int
    first: int
    mended: tuple[Mended, ...]
    refused: Refused | None = None


class _Origin(msgspec.Struct, frozen=True, eq=False):
    """What the points of a resource and scope share.

    number: equal for equal contents.
    inherited: the fields as JSON by name: a request may have very many scopes.
    """

    number: int
    inherited: bytes
    fields: int
    mended: Sequence[Mended]


def decode_metrics(body: OtlpBody, string_max: int, work: Work) -> DecodedRequest:
    """The events of an ExportMetricsServiceRequest. Raises as `Decoder.decode`."""
    reader = _Reader(body, work)
    for tag, _, group in fields(memoryview(body.message), work):
        if tag != RESOURCE_GROUP:
            continue
        resource = read_resource(group, work)
        for scope_group in scopes_of(group, work):
            reader.begin_scope(read_scope(scope_group, resource, work))
            for item in members_of(scope_group, work):
                reader.add_metric(_read_metric(item, work))
    return reader.finish(string_max)


def _read_metric(message: memoryview, work: Work) -> _Data | None:
    """A metric; None for one without data, or with data of an unknown kind."""
    texts = {_NAME: memoryview(b""), _DESCRIPTION: memoryview(b""), _UNIT: memoryview(b"")}
    data_tag = first = temporality = monotonic = 0
    for at, (tag, _, content) in enumerate(fields(message, work)):
        if tag in texts:
            texts[tag] = content
        elif tag in _KINDS:
            if tag != data_tag:
                data_tag, first, temporality, monotonic = tag, at, 0, 0
            for inner, number, _ in fields(content, work):
                if inner == _TEMPORALITY:
                    temporality = number
                elif inner == _MONOTONIC:
                    monotonic = number
    if not data_tag:
        return None
    kind = _KINDS[data_tag]
    name, is_utf8 = text_of(texts[_NAME])
    refused = None
    if not name:
        refused = _NO_NAME
    elif len(name.encode()) > _NAME_BYTES_MAX:
        refused = _NAME_TOO_LONG
    metric = Metric(
        name,
        kind,
        text_of(texts[_UNIT][: limits.STRING_BYTES_MAX])[0],
        _TEMPORALITIES.get(temporality, Temporality.NONE),
        bool(monotonic) and kind is Kind.SUM,
        text_of(texts[_DESCRIPTION][: limits.STRING_BYTES_MAX])[0],
    )
    mended = () if is_utf8 else (changed_field(Rule.NOT_UTF8, name),)
    return _Data(metric, message, data_tag, first, mended, refused)


class _Reader:
    """Reads data points of one request into events."""

    def __init__(self, body: OtlpBody, work: Work) -> None:
        self._body = body
        self._work = work
        self._events = Gatherer()
        self._points = PointGatherer(limits.OTLP_EVENTS_MAX)
        self._inherited = Attributes()
        self._origin: _Origin | None = None  # of the scope that is being read
        self._origins: dict[bytes, _Origin] = {}
        self._origins_bytes = 0
        self._columns: dict[str, Metric] = {}

    def begin_scope(self, inherited: Attributes) -> None:
        """The metrics that follow inherit these fields."""
        self._inherited, self._origin = inherited, None

    def _current_origin(self) -> _Origin:
        """The origin of the scope: equal ones are one, wherever they are in the request.

        It is made for the scope's first point, so that each is a part of an event. Raises
        TooManyEventBytes.
        """
        if self._origin is not None:
            return self._origin
        inherited = self._inherited
        written = orjson.dumps(inherited.values, option=orjson.OPT_SORT_KEYS)
        self._work.spend(len(written) // _BYTES_PER_UNIT)
        text = bytes(memoryview(written))  # orjson's own take 4 kB each
        found = self._origins.get(text)
        if found is None:
            self._origins_bytes += len(text)
            if self._origins_bytes > limits.OTLP_EVENTS_BYTES_MAX:
                raise TooManyEventBytes
            number, count = len(self._origins), len(inherited.values)
            found = self._origins[text] = _Origin(number, text, count, tuple(inherited.mended))
        self._origin = found
        return found

    def add_metric(self, data: _Data | None) -> None:
        """Add all points of a metric. Raises MalformedBody, TooManyEventBytes, TooMuchWork."""
        if data is None:
            return
        for at, (tag, _, content) in enumerate(fields(data.message, self._work)):
            if tag == data.tag and at >= data.first:
                for inner, _, message in fields(content, self._work):
                    if inner == _POINT:
                        self._add_point(data, message)

    def _add_point(self, data: _Data, message: memoryview) -> None:
        item = self._events.next_item()
        if data.refused is not None:
            self._events.refuse(item, data.refused)
            return
        metric = data.metric
        point = read_point(metric, message, self._work)
        found = point.fields
        if found is None:
            return  # there is nothing to store, and nothing is lost
        if not found.values:
            self._events.refuse(item, _without_value(metric, found))
            return
        origin = self._current_origin()
        mended = (*data.mended, *point.attributes.mended, *found.mended)
        start_ns = point.start_ns
        if start_ns > INT64_MAX:
            start_ns, mended = 0, (*mended, _START_TIME)
        for name, _ in found.values:
            if len(self._columns) < limits.COLUMN_FACTS_WAITING_MAX:
                self._columns.setdefault(name, metric)
        self._points.add(
            Point(
                metric.name,
                item,
                origin.number,
                point.attributes.values,
                point.time_ns,
                start_ns,
                Fields(found.values, mended),
            ),
            origin.fields + _CORE_FIELDS,
        )

    def finish(self, string_max: int) -> DecodedRequest:
        """All events of the request."""
        dataset = self._body.dataset or UNKNOWN_METRICS
        origins = list(self._origins.values())
        inherited, of = Attributes(), -1
        for event in self._points.events:
            if event.shared != of:
                inherited, of = _attributes_of(origins[event.shared]), event.shared
            made = self._draft(event, inherited).finish(string_max, self._work)
            self._events.add(dataset, event.item, made, own=True, weight=event.points)
        return self._events.finish(facts_by_hash(self._columns))

    def _draft(self, event: MetricEvent, inherited: Attributes) -> Draft:
        own = Attributes()
        own.values = dict(event.fields)
        for name, value in orjson.loads(event.attributes).items():
            own.add(name, value)
        own.mended = dict.fromkeys(event.mended)
        draft = Draft(own, inherited)
        draft.put("meta.signal_type", "metric")
        if event.start_ns:
            draft.put(START, event.start_ns)
        draft.set_time(event.time_ns, self._body.arrival_ns)
        return draft


def _attributes_of(origin: _Origin) -> Attributes:
    found = Attributes()
    found.values = orjson.loads(origin.inherited)
    found.mended = dict.fromkeys(origin.mended)
    return found


def _without_value(metric: Metric, found: Fields) -> Refused:
    if found.mended:
        return Refused(found.mended[0].rule, f"{metric.name[:100]}: is NaN or infinite")
    return Refused(Rule.DATA_MISSING, f"{metric.name[:100]}: has no value")
