"""Distributions of values: buckets of histograms as JSON, and quantiles estimated from them.

`NAME.buckets` keeps what a histogram says, so that questions can subtract one from the next and add
several up: `{"bounds": [...], "counts": [...]}` with one count more than bounds, or, for an
exponential histogram, `{"scale", "zero_threshold", "zero_count", "positive", "negative"}` with
`{"offset", "counts"}` for either sign. The protocol's metrics data model defines what they mean.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec
import orjson

PERCENTILES: Final = tuple(
    (f"p{digits}", float(f"0.{digits}"))
    for digits in ("001", "01", "05", "10", "20", "25", "50", "75", "80", "90", "95", "99", "999")
)
"""The suffixes of estimated quantiles, and their shares: those that questions can ask for."""

_TOP: Final = 1.0
_SHARE_DIGITS_MAX: Final = 9  # a suffix of more is no rounded number any more


class Explicit(NamedTuple):
    """Buckets with explicit upper bounds; the last bucket has none."""

    bounds: Sequence[float] = ()
    counts: Sequence[int] = ()


class Side(NamedTuple):
    """Buckets of one sign: the i-th holds base^(offset + i) < |value| <= base^(offset + i + 1)."""

    offset: int = 0
    counts: Sequence[int] = ()


class Exponential(NamedTuple):
    """Buckets whose bounds are powers of 2^(2^-scale)."""

    scale: int = 0
    zero_threshold: float = 0.0
    zero_count: int = 0
    positive: Side = Side()
    negative: Side = Side()


Buckets = Explicit | Exponential


class _Range(msgspec.Struct, frozen=True):
    """How many values lie between two values."""

    low: float
    high: float
    count: int


def is_empty(buckets: Buckets) -> bool:
    """Whether it holds no bucket at all: such a histogram has only count and sum."""
    if isinstance(buckets, Explicit):
        return not buckets.counts
    return not (buckets.positive.counts or buckets.negative.counts or buckets.zero_count)


def is_finite(buckets: Buckets) -> bool:
    """Whether all its numbers are finite: JSON has no others."""
    if isinstance(buckets, Explicit):
        return all(map(math.isfinite, buckets.bounds))
    return math.isfinite(buckets.zero_threshold)


def as_json(buckets: Buckets) -> str:
    """The text of the field `.buckets`."""
    if isinstance(buckets, Explicit):
        return orjson.dumps({"bounds": buckets.bounds, "counts": buckets.counts}).decode()
    return orjson.dumps(
        {
            "scale": buckets.scale,
            "zero_threshold": buckets.zero_threshold,
            "zero_count": buckets.zero_count,
            "positive": {"offset": buckets.positive.offset, "counts": buckets.positive.counts},
            "negative": {"offset": buckets.negative.offset, "counts": buckets.negative.counts},
        }
    ).decode()


def percentiles(
    buckets: Buckets, least: float | None, most: float | None
) -> list[tuple[str, float]]:
    """(suffix, estimated value) of each quantile; none if the buckets hold no value or contradict
    themselves.

    least, most: of all values, where they are known. Within a bucket values are taken to lie
    evenly. The first explicit bucket begins at `least`, else at 0 if its bound is above 0, else at
    its bound; the last one ends at `most`, else at its lower bound.
    """
    ranges = [one for one in _ranges(buckets, least, most) if one.count]
    total = sum(one.count for one in ranges)
    found: list[tuple[str, float]] = []
    passed, at = 0, 0
    for suffix, share in PERCENTILES if total else ():
        wanted = share * total
        while at < len(ranges) - 1 and passed + ranges[at].count < wanted:
            passed += ranges[at].count
            at += 1
        value = _within(ranges[at], (wanted - passed) / ranges[at].count, least, most)
        if math.isfinite(value):
            found.append((suffix, value))
    return found


def _within(found: _Range, share: float, least: float | None, most: float | None) -> float:
    share = min(max(share, 0.0), _TOP)
    value = found.low * (_TOP - share) + found.high * share
    if least is not None:
        value = max(value, least)
    return value if most is None else min(value, most)


def _ranges(buckets: Buckets, least: float | None, most: float | None) -> Iterator[_Range]:
    """Ranges in ascending order."""
    if isinstance(buckets, Explicit):
        yield from _explicit_ranges(buckets, least, most)
        return
    scale = buckets.scale
    negative, positive = buckets.negative, buckets.positive
    for index in range(len(negative.counts) - 1, -1, -1):
        low, high = _bounds(scale, negative.offset + index)
        yield _Range(-high, -low, negative.counts[index])
    threshold = buckets.zero_threshold
    yield _Range(-threshold if any(negative.counts) else 0.0, threshold, buckets.zero_count)
    for index, count in enumerate(positive.counts):
        low, high = _bounds(scale, positive.offset + index)
        yield _Range(low, high, count)


def _explicit_ranges(
    buckets: Explicit, least: float | None, most: float | None
) -> Iterator[_Range]:
    bounds, counts = buckets.bounds, buckets.counts
    ordered = all(low < high for low, high in pairwise(bounds))
    if len(counts) != len(bounds) + 1 or not ordered:
        return
    if not bounds:
        if least is not None and most is not None:
            yield _Range(least, most, counts[0])
        return
    first = min(bounds[0], 0.0 if least is None else least)
    yield _Range(first, bounds[0], counts[0])
    for (low, high), count in zip(pairwise(bounds), counts[1:-1], strict=True):
        yield _Range(low, high, count)
    yield _Range(bounds[-1], bounds[-1] if most is None else max(bounds[-1], most), counts[-1])


def _bounds(scale: int, index: int) -> tuple[float, float]:
    return _power(scale, index), _power(scale, index + 1)


def _power(scale: int, index: int) -> float:
    """base^index of an exponential histogram; infinite beyond all doubles."""
    try:
        return math.exp2(math.ldexp(index, -scale))
    except OverflowError:
        return math.inf if index > 0 else 0.0


def quantile_suffix(share: float) -> str | None:
    """The suffix of a quantile that a summary gives: p50, p999, min, max; None outside of 0 to 1.

    0 and 1 are the least and the largest value, as the protocol says.
    """
    if share in (0.0, _TOP):
        return "max" if share else "min"
    if not 0.0 < share < _TOP:
        return None
    text = f"{share:.{_SHARE_DIGITS_MAX}f}"
    digits = text[len("0.") :].rstrip("0")
    return f"p{digits:0<2}" if digits and text.startswith("0.") else None
