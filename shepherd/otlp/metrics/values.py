"""What is read of a metric and of its data points, before it becomes fields of events."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from common.scan.events import Mended

Value = str | bool | int | float
Field = tuple[str, Value]


class Kind(StrEnum):
    """The kinds of metrics, by their names in the protocol's documents."""

    GAUGE = "gauge"
    SUM = "sum"
    HISTOGRAM = "histogram"
    EXPONENTIAL_HISTOGRAM = "exponential_histogram"
    SUMMARY = "summary"


class Temporality(StrEnum):
    """What a value covers: the time since the last one, or since the start. Empty: not known."""

    NONE = ""
    DELTA = "delta"
    CUMULATIVE = "cumulative"


class Metric(NamedTuple):
    """A metric as a request describes it, without its data points."""

    name: str
    kind: Kind
    unit: str = ""
    temporality: Temporality = Temporality.NONE
    monotonic: bool = False
    description: str = ""


class Fields(NamedTuple):
    """The fields of one data point, named as columns, and those that cannot be stored as sent."""

    values: Sequence[Field]
    mended: tuple[Mended, ...] = ()


class Point(NamedTuple):
    """A data point of which at least one field can be stored.

    metric: the name of its metric.
    item: its number in the request.
    shared: the number of its resource and scope; equal for equal contents.
    attributes: as fields, flat.
    start_ns: unix ns; 0: the request names none.
    """

    metric: str
    item: int
    shared: int
    attributes: Mapping[str, Value]
    time_ns: int
    start_ns: int
    fields: Fields
