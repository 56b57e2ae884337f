"""Reads the data points of metrics: the fields of each, its attributes and its times."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from sys import byteorder
from typing import Final

import msgspec

from common import limits
from common.scan.events import Rule
from common.scan.value_repair import changed_field
from common.scan.work_budget import Work
from shepherd.otlp.decode.reference.ids import trace_id_text
from shepherd.otlp.decode.reference.values import Attributes, add_attribute, double_of
from shepherd.otlp.decode.reference.wire import (
    Field,
    fields,
    fixed64,
    length_delimited,
    signed,
    varint,
    varints,
)
from shepherd.otlp.metrics.distributions import Buckets, Explicit, Exponential, Side
from shepherd.otlp.metrics.point_fields import (
    Distribution,
    Exemplar,
    distribution_fields,
    number_fields,
    summary_fields,
)
from shepherd.otlp.metrics.values import Fields, Kind, Metric

_NO_VALUE: Final = 1  # of the flags
_BYTES: Final = 8  # of a packed fixed64 or double
_NUMBERS_PER_UNIT: Final = 16
_UINT32: Final = 2**32 - 1
_NOTHING: Final = memoryview(b"")

_START: Final = fixed64(2)  # of every kind of data point, as is the time
_TIME: Final = fixed64(3)
_COUNT: Final = fixed64(4)  # of every distribution, as is the sum
_SUM: Final = fixed64(5)


class DataPoint(msgspec.Struct):
    """A data point as it is read.

    time_ns, start_ns: unix ns; 0: absent.
    fields: None for a point whose client says that it has no value: the series has ended, or was
        not measured.
    """

    attributes: Attributes
    time_ns: int
    start_ns: int
    fields: Fields | None


def read_point(metric: Metric, message: memoryview, work: Work) -> DataPoint:
    """A data point of any kind. Raises MalformedBody, TooMuchWork."""
    layout, read = _KINDS[metric.kind]
    raw = _Raw(layout)
    found = read(metric, raw, message, work)
    numbers = raw.numbers
    return DataPoint(
        raw.attributes,
        numbers.get(_TIME, 0),
        numbers.get(_START, 0),
        None if numbers.get(layout.flags, 0) & _NO_VALUE else found,
    )


class _Layout(msgspec.Struct, frozen=True):
    """The tags of one kind of data points.

    numbers: of fields that occur once.
    """

    attribute: int
    flags: int
    exemplar: int
    numbers: frozenset[int]


class _Raw:
    """What all kinds of data points have.

    numbers: unsigned, by their tags.
    exemplars_cut: whether there were more exemplars than are kept.
    """

    __slots__ = ("attributes", "exemplars", "exemplars_cut", "layout", "numbers")

    def __init__(self, layout: _Layout) -> None:
        self.layout = layout
        self.attributes = Attributes()
        self.numbers: dict[int, int] = {}
        self.exemplars: list[Exemplar] = []
        self.exemplars_cut = False

    def read(self, message: memoryview, work: Work) -> Iterator[Field]:
        """Read the message, and yield the fields that only its kind has."""
        layout = self.layout
        for field in fields(message, work):
            tag = field.tag
            if tag == layout.attribute:
                add_attribute(self.attributes, field.content, work)
            elif tag in layout.numbers or tag == layout.flags:
                self.numbers[tag] = field.value
            elif tag != layout.exemplar:
                yield field
            elif len(self.exemplars) < limits.METRIC_EXEMPLARS_MAX:
                self.exemplars.append(_read_exemplar(field.content, work))
            else:
                self.exemplars_cut = True

    def double(self, tag: int) -> float | None:
        """The number of a field as a double; None if the point does not have it."""
        bits = self.numbers.get(tag)
        return None if bits is None else double_of(bits)

    def counted(self, found: Fields, metric: Metric) -> Fields:
        """The fields, with the note that exemplars are left out if some are."""
        if not self.exemplars_cut:
            return found
        left_out = changed_field(Rule.STRING_TOO_LONG, f"{metric.name}.exemplars")
        return found._replace(mended=tuple(dict.fromkeys((*found.mended, left_out))))


_EXEMPLAR_TIME: Final = fixed64(2)
_EXEMPLAR_DOUBLE: Final = fixed64(3)
_EXEMPLAR_SPAN: Final = length_delimited(4)
_EXEMPLAR_TRACE: Final = length_delimited(5)
_EXEMPLAR_INT: Final = fixed64(6)
_EXEMPLAR_ATTRIBUTE: Final = length_delimited(7)


def _read_exemplar(message: memoryview, work: Work) -> Exemplar:
    value: int | float | None = None
    time_ns = 0
    trace = span = _NOTHING
    attributes = Attributes()
    for tag, number, content in fields(message, work):
        if tag == _EXEMPLAR_TIME:
            time_ns = number
        elif tag == _EXEMPLAR_DOUBLE:
            value = double_of(number)
        elif tag == _EXEMPLAR_INT:
            value = signed(number)
        elif tag == _EXEMPLAR_SPAN:
            span = content
        elif tag == _EXEMPLAR_TRACE:
            trace = content
        elif tag == _EXEMPLAR_ATTRIBUTE:
            add_attribute(attributes, content, work)
    return Exemplar(
        value,
        time_ns,
        trace_id_text(trace) if any(trace) else "",
        span.hex() if any(span) else "",
        attributes.values,
    )


_DOUBLE: Final = fixed64(4)
_INT: Final = fixed64(6)
_NUMBER: Final = _Layout(
    attribute=length_delimited(7),
    flags=varint(8),
    exemplar=length_delimited(5),
    numbers=frozenset((_START, _TIME)),
)


def _number(metric: Metric, raw: _Raw, message: memoryview, work: Work) -> Fields:
    value: int | float | None = None
    for tag, number, _ in raw.read(message, work):
        if tag == _DOUBLE:
            value = double_of(number)
        elif tag == _INT:
            value = signed(number)
    return raw.counted(number_fields(metric.name, value, raw.exemplars), metric)


class _Numbers:
    """Repeated numbers of 8 bytes, packed or one by one, up to a bound."""

    __slots__ = ("is_cut", "values")

    def __init__(self, code: str) -> None:
        """code: of the `array` module, for unsigned integers or doubles."""
        self.values = array(code)
        self.is_cut = False

    def add(self, field: Field, work: Work) -> None:
        """Add the numbers of a field."""
        raw = field.content or field.value.to_bytes(_BYTES, "little")
        count = len(raw) // _BYTES
        work.spend(count // _NUMBERS_PER_UNIT)
        room = limits.METRIC_BUCKETS_MAX - len(self.values)
        self.is_cut |= count > room
        added = array(self.values.typecode, bytes(raw[: min(count, room) * _BYTES]))
        if byteorder == "big":
            added.byteswap()
        self.values.extend(added)


_COUNTS: Final = (length_delimited(6), fixed64(6))
_BOUNDS: Final = (length_delimited(7), fixed64(7))
_MIN: Final = fixed64(11)
_MAX: Final = fixed64(12)
_HISTOGRAM: Final = _Layout(
    attribute=length_delimited(9),
    flags=varint(10),
    exemplar=length_delimited(8),
    numbers=frozenset((_START, _TIME, _COUNT, _SUM, _MIN, _MAX)),
)


def _histogram(metric: Metric, raw: _Raw, message: memoryview, work: Work) -> Fields:
    counts, bounds = _Numbers("Q"), _Numbers("d")
    for field in raw.read(message, work):
        if field.tag in _COUNTS:
            counts.add(field, work)
        elif field.tag in _BOUNDS:
            bounds.add(field, work)
    is_cut = counts.is_cut or bounds.is_cut
    buckets = None if is_cut else Explicit(bounds.values.tolist(), counts.values.tolist())
    return _distribution(metric, raw, _MIN, _MAX, buckets)


def _distribution(
    metric: Metric, raw: _Raw, least: int, most: int, buckets: Buckets | None
) -> Fields:
    """Fields of a histogram. buckets: None if it has too many."""
    found = Distribution(
        raw.numbers.get(_COUNT, 0), raw.double(_SUM), raw.double(least), raw.double(most), buckets
    )
    return raw.counted(
        distribution_fields(metric.name, metric.temporality, found, raw.exemplars), metric
    )


_SCALE: Final = varint(6)
_ZERO_COUNT: Final = fixed64(7)
_POSITIVE: Final = length_delimited(8)
_NEGATIVE: Final = length_delimited(9)
_EXPONENTIAL_MIN: Final = fixed64(12)
_EXPONENTIAL_MAX: Final = fixed64(13)
_ZERO_THRESHOLD: Final = fixed64(14)
_OFFSET: Final = varint(1)
_SIDE_COUNTS: Final = length_delimited(2)
_SIDE_COUNT: Final = varint(2)
_EXPONENTIAL: Final = _Layout(
    attribute=length_delimited(1),
    flags=varint(10),
    exemplar=length_delimited(11),
    numbers=frozenset(
        (
            *(_START, _TIME, _COUNT, _SUM, _SCALE, _ZERO_COUNT),
            *(_EXPONENTIAL_MIN, _EXPONENTIAL_MAX, _ZERO_THRESHOLD),
        )
    ),
)


def _exponential(metric: Metric, raw: _Raw, message: memoryview, work: Work) -> Fields:
    sides = {_POSITIVE: _Side(), _NEGATIVE: _Side()}
    for tag, _, content in raw.read(message, work):
        if tag in sides:
            sides[tag].read(content, work)
    buckets = None
    if not any(side.is_cut for side in sides.values()):
        buckets = Exponential(
            _zigzag(raw.numbers.get(_SCALE, 0)),
            raw.double(_ZERO_THRESHOLD) or 0.0,
            raw.numbers.get(_ZERO_COUNT, 0),
            sides[_POSITIVE].found(),
            sides[_NEGATIVE].found(),
        )
    return _distribution(metric, raw, _EXPONENTIAL_MIN, _EXPONENTIAL_MAX, buckets)


class _Side:
    """The buckets of one sign, up to a bound. Of several messages the counts are joined."""

    __slots__ = ("_counts", "_offset", "is_cut")

    def __init__(self) -> None:
        self._offset = 0
        self._counts: list[int] = []
        self.is_cut = False

    def read(self, message: memoryview, work: Work) -> None:
        """Add what a message has."""
        for tag, number, content in fields(message, work):
            if tag == _OFFSET:
                self._offset = _zigzag(number)
            elif tag == _SIDE_COUNT:
                self._add((number,))
            elif tag == _SIDE_COUNTS:
                self._add(varints(content, work))

    def _add(self, counts: Iterable[int]) -> None:
        for count in counts:
            if len(self._counts) == limits.METRIC_BUCKETS_MAX:
                self.is_cut = True
                return
            self._counts.append(count)

    def found(self) -> Side:
        """What was read."""
        return Side(self._offset, self._counts)


def _zigzag(value: int) -> int:
    """A sint32: its sign is in the lowest bit."""
    value &= _UINT32
    return (value >> 1) ^ -(value & 1)


_QUANTILE: Final = length_delimited(6)
_QUANTILE_SHARE: Final = fixed64(1)
_QUANTILE_VALUE: Final = fixed64(2)
_SUMMARY: Final = _Layout(
    attribute=length_delimited(7),
    flags=varint(8),
    exemplar=0,  # it has none
    numbers=frozenset((_START, _TIME, _COUNT, _SUM)),
)


def _summary(metric: Metric, raw: _Raw, message: memoryview, work: Work) -> Fields:
    quantiles: dict[float, float] = {}
    for tag, _, content in raw.read(message, work):
        if tag == _QUANTILE and len(quantiles) < limits.METRIC_QUANTILES_MAX:
            share = value = 0.0
            for inner, number, _ in fields(content, work):
                if inner == _QUANTILE_SHARE:
                    share = double_of(number)
                elif inner == _QUANTILE_VALUE:
                    value = double_of(number)
            quantiles.setdefault(share, value)
    count, total = raw.numbers.get(_COUNT, 0), raw.double(_SUM) or 0.0
    return summary_fields(metric.name, count, total, list(quantiles.items()))


_KINDS: Final[Mapping[Kind, tuple[_Layout, Callable[[Metric, _Raw, memoryview, Work], Fields]]]] = {
    Kind.GAUGE: (_NUMBER, _number),
    Kind.SUM: (_NUMBER, _number),
    Kind.HISTOGRAM: (_HISTOGRAM, _histogram),
    Kind.EXPONENTIAL_HISTOGRAM: (_EXPONENTIAL, _exponential),
    Kind.SUMMARY: (_SUMMARY, _summary),
}
