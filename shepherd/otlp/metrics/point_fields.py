"""The fields of one data point: NAME of a number, NAME.count and others of a distribution."""

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
import orjson

from common import limits
from common.scan.events import Mended, Rule
from common.scan.value_repair import changed_field
from shepherd.otlp.metrics.distributions import (
    Buckets,
    as_json,
    is_empty,
    is_finite,
    percentiles,
    quantile_suffix,
)
from shepherd.otlp.metrics.values import Field, Fields, Temporality

_INTEGER_MAX: Final = 2**63 - 1


class Distribution(msgspec.Struct, frozen=True):
    """A data point of a histogram of either kind. None: the point does not have it.

    buckets: None if it has too many.
    """

    count: int
    sum: float | None
    min: float | None
    max: float | None
    buckets: Buckets | None


class Exemplar(NamedTuple):
    """A single measurement and the span in which it was made.

    trace_id, span_id: as in events; empty: none.
    time_ns: unix ns.
    attributes: those that the data point does not have.
    """

    value: int | float | None
    time_ns: int
    trace_id: str
    span_id: str
    attributes: dict[str, Any]


class _Collector:
    """Collects the fields of one data point."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.values: list[Field] = []
        self.mended: list[Mended] = []

    def number(self, suffix: str, value: float | None) -> None:
        """Add a number, unless it is NaN or infinite, which is counted."""
        if value is None:
            return
        name = f"{self._name}{suffix}"
        if isinstance(value, float) and not math.isfinite(value):
            self.mended.append(changed_field(Rule.NOT_FINITE, name))
        else:
            self.values.append((name, value))

    def text(self, suffix: str, value: str) -> None:
        """Add JSON text, unless it is too long: half of it would be no JSON."""
        name = f"{self._name}{suffix}"
        if len(value) > limits.STRING_BYTES_MAX:
            self.mended.append(changed_field(Rule.STRING_TOO_LONG, name))
        else:
            self.values.append((name, value))

    def drop(self, rule: Rule, suffix: str) -> None:
        """Count a field that cannot be stored, or not in full."""
        self.mended.append(changed_field(rule, f"{self._name}{suffix}"))

    def exemplars(self, exemplars: Sequence[Exemplar]) -> None:
        """Add as many exemplars as a field has room for; that others are left out is counted."""
        texts: list[bytes] = []
        room = limits.STRING_BYTES_MAX - 2
        for one in exemplars:
            text = _exemplar_json(one)
            room -= len(text) + 1
            if room < 0:
                self.drop(Rule.STRING_TOO_LONG, ".exemplars")
                break
            texts.append(text)
        if texts:
            self.text(".exemplars", f"[{b','.join(texts).decode()}]")

    def found(self) -> Fields:
        """What was collected."""
        return Fields(self.values, tuple(self.mended))


def number_fields(name: str, value: float | None, exemplars: Sequence[Exemplar] = ()) -> Fields:
    """Of a gauge or a sum. value: int or float as sent; None: the point has no value."""
    fields = _Collector(name)
    fields.number("", value)
    if fields.values:
        fields.exemplars(exemplars)
    return fields.found()


def distribution_fields(
    name: str,
    temporality: Temporality,
    point: Distribution,
    exemplars: Sequence[Exemplar] = (),
) -> Fields:
    """Of a histogram: .count .sum .min .max .buckets, and estimated quantiles of delta temporality.

    Quantiles of what has been counted since the process began say little about the time that a
    question is about, and mislead: those of cumulative histograms are not stored.
    """
    fields = _Collector(name)
    fields.number(".count", integer(point.count))
    fields.number(".sum", point.sum)
    fields.number(".min", point.min)
    fields.number(".max", point.max)
    if point.buckets is None:
        fields.drop(Rule.STRING_TOO_LONG, ".buckets")
    elif not is_finite(point.buckets):
        fields.drop(Rule.NOT_FINITE, ".buckets")
    elif not is_empty(point.buckets):
        fields.text(".buckets", as_json(point.buckets))
        if temporality is Temporality.DELTA:
            least, most = _finite(point.min), _finite(point.max)
            for suffix, value in percentiles(point.buckets, least, most):
                fields.number(f".{suffix}", value)
    fields.exemplars(exemplars)
    return fields.found()


def summary_fields(
    name: str, count: int, total: float, quantiles: Sequence[tuple[float, float]]
) -> Fields:
    """Of a summary: .count .sum, and .min .max .p50 ... as its client has computed them."""
    fields = _Collector(name)
    fields.number(".count", integer(count))
    fields.number(".sum", total)
    seen: set[str] = set()
    for share, value in quantiles:
        suffix = quantile_suffix(share)
        if suffix is None:
            fields.drop(Rule.NUMBER_OUT_OF_RANGE, ".quantile")
        elif suffix not in seen:
            seen.add(suffix)
            fields.number(f".{suffix}", value)
    return fields.found()


def integer(value: int) -> int | float:
    """The integer; beyond 64 bits with sign the nearest double."""
    return value if value <= _INTEGER_MAX else float(value)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _exemplar_json(one: Exemplar) -> bytes:
    """NaN and infinity become null."""
    found: dict[str, Any] = {"value": one.value, "time_ns": one.time_ns}
    if one.trace_id:
        found["trace_id"] = one.trace_id
    if one.span_id:
        found["span_id"] = one.span_id
    if one.attributes:
        found["attributes"] = one.attributes
    return orjson.dumps(found)
