"""The distributions of fields, merged from shares: weights of values inside and outside.

A share may have counted a part of its events that was drawn at random; its weights are scaled up to
those of all its events.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from query.share.states.buckets import bucket_numbers

Value = int | float | bool | str
Key = tuple[str, Value]  # part of `FieldSql.key_parts` and the value: 1 and true are two values
Array = npt.NDArray[Any]
_BUCKETS: Final = 2**20  # more than there are (`query.share.states.buckets.NUMBER_BITS`)


@dataclass(slots=True)
class Pair:
    """Weights of events inside and outside."""

    inside: float = 0.0
    outside: float = 0.0

    def add(self, inside: float, outside: float) -> None:
        """Add weights."""
        self.inside += float(inside)
        self.outside += float(outside)


class Buckets(NamedTuple):
    """Ascending numbers of buckets (`query.share.states.buckets`) and their weights."""

    numbers: Array
    inside: Array
    outside: Array


@dataclass(slots=True, repr=False)
class Distribution:
    """How the values of a field are distributed.

    values: weights of the listed values. buckets: of all numbers; None: there is none.
    missing: of events without the field. others: of values that are not listed; others_number: how
        many these are at least.
    in_buckets: whether some numbers are known by their buckets only.
    read: the least part of the events of a side whose values were counted.
    """

    values: dict[Key, Pair] = field(default_factory=dict)
    buckets: Buckets | None = None
    missing: Pair = field(default_factory=Pair)
    others: Pair = field(default_factory=Pair)
    others_number: int = 0
    in_buckets: bool = False
    read: Pair = field(default_factory=lambda: Pair(1.0, 1.0))


class Side(NamedTuple):
    """The events of a side: their weight, the number of stored ones, and the number of events of
    one weight that tell as much (Kish's effective sample size).
    """

    weight: float
    stored: int
    effective: float


@dataclass(frozen=True, slots=True, repr=False)
class Distributions:
    """fields: in the order of the request."""

    inside: Side
    outside: Side
    fields: Sequence[Distribution]


def merge_distributions(fields: int, answers: Sequence[Mapping[str, pa.Table]]) -> Distributions:
    """Merge the states of shares (`query.share.differences.sql`). fields: their number."""
    merged = [Distribution() for _ in range(fields)]
    sums = {side: [0.0, 0.0, 0.0] for side in (True, False)}
    buckets: list[_ShareBuckets] = []
    for states in answers:
        total = Pair()
        for row in states["main"].to_pylist():
            for at, name in enumerate(("w", "rows", "w2")):
                sums[row["inside"]][at] += row[name]
            total.add(*((row["w"], 0) if row["inside"] else (0, row["w"])))
        buckets.append(_add_share(merged, total, states["values"]))
    _add_buckets(merged, buckets)
    sides = [Side(w, int(rows), w * w / w2 if w2 else 0.0) for w, rows, w2 in sums.values()]
    return Distributions(sides[0], sides[1], merged)


class _ShareBuckets(NamedTuple):
    """Of one share: a row per field and bucket."""

    field: Array
    number: Array
    inside: Array
    outside: Array


def _add_share(merged: Sequence[Distribution], total: Pair, rows: pa.Table) -> _ShareBuckets:
    """Add the values of one share, of whose events `total` is the weight; return its buckets."""
    many = len(merged)
    fields, again, others, wi, wo, number = (
        rows.column(name).to_numpy() for name in ("field", "again", "others", "wi", "wo", "number")
    )
    has_bucket = np.asarray(pc.is_valid(rows.column("e")))
    first = ~again
    up_in = _scales(fields, first, wi, total.inside, many)
    up_out = _scales(fields, first, wo, total.outside, many)
    wi = np.where(again, wi, wi * up_in[fields])
    wo = np.where(again, wo, wo * up_out[fields])
    counted = np.bincount(fields[first], minlength=many) > 0
    in_buckets = np.bincount(fields[first & has_bucket], minlength=many) > 0
    bucketed = np.bincount(fields[has_bucket], minlength=many) > 0
    for at, one in enumerate(merged):
        if not counted[at]:
            one.missing.add(total.inside, total.outside)
            continue
        one.in_buckets = one.in_buckets or bool(in_buckets[at])
        for side, up in (("inside", up_in[at]), ("outside", up_out[at])):
            setattr(one.read, side, min(getattr(one.read, side), 1 / up if up else 1.0))
    listed = first & ~has_bucket
    for row in np.flatnonzero(listed & others):
        one = merged[fields[row]]
        one.others.add(wi[row], wo[row])
        one.others_number += int(number[row])
    chosen = np.flatnonzero(listed & ~others)
    some = rows.select(list("nfbs")).take(pa.array(chosen)).to_pydict().values()
    for row, *parts in zip(chosen, *some, strict=True):
        key = next(((n, v) for n, v in zip("nfbs", parts, strict=True) if v is not None), None)
        one = merged[fields[row]]
        weights = one.missing if key is None else one.values.setdefault(key, Pair())
        weights.add(wi[row], wo[row])
    numeric = _numbers(rows)
    by_value = np.flatnonzero(listed & ~others & ~bucketed[fields] & ~np.isnan(numeric))
    places = np.concatenate([np.flatnonzero(has_bucket), by_value])
    own = rows.column("e").filter(pa.array(has_bucket)).to_numpy()
    found = np.concatenate([own, bucket_numbers(numeric[by_value])])
    return _ShareBuckets(fields[places], found, wi[places], wo[places])


def _scales(fields: Array, first: Array, weights: Array, total: float, many: int) -> Array:
    """By field, by what the weights of a side are multiplied; 0 where nothing of it was read."""
    read = np.bincount(fields[first], weights[first], many)
    return np.divide(total, read, out=np.zeros(many), where=read > 0)


def _numbers(rows: pa.Table) -> Array:
    """The value of each row that is a number; else NaN."""
    whole = rows.column("n").cast(pa.float64(), safe=False)
    found: Array = pc.coalesce(rows.column("f"), whole).fill_null(np.nan).to_numpy()
    return found


def _add_buckets(merged: Sequence[Distribution], shares: Sequence[_ShareBuckets]) -> None:
    if not shares:
        return
    fields, numbers, inside, outside = map(np.concatenate, zip(*shares, strict=True))
    cells, places = np.unique(
        fields.astype(np.int64) * _BUCKETS + numbers + _BUCKETS // 2, return_inverse=True
    )
    w_in, w_out = (np.bincount(places, some, len(cells)) for some in (inside, outside))
    ends = np.searchsorted(cells, np.arange(len(merged) + 1) * _BUCKETS)
    for at, one in enumerate(merged):
        here = slice(ends[at], ends[at + 1])
        if here.stop > here.start:
            of_field = cells[here] - at * _BUCKETS - _BUCKETS // 2
            one.buckets = Buckets(of_field, w_in[here], w_out[here])
