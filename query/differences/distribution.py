"""The distributions of fields, merged from shares: weights of values inside and outside.

A share may have counted a part of its events that was drawn at random; its weights are scaled up to
those of all its events.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from query.share.states.buckets import bucket_numbers

Value = int | float | bool | str
Key = tuple[str, Value]  # part of `FieldSql.key_parts` and the value: 1 and true are two values
_NOTHING = pa.table({})


@dataclass(slots=True)
class Pair:
    """Weights of events inside and outside."""

    inside: float = 0.0
    outside: float = 0.0

    def add(self, inside: float, outside: float) -> None:
        """Add weights."""
        self.inside += inside
        self.outside += outside


@dataclass(slots=True)
class Distribution:
    """How the values of a field are distributed.

    values: weights of the listed values. buckets: of numbers, by logarithmic buckets.
    missing: of events without the field. others: of values that are not listed; others_number: how
        many these are at least.
    in_buckets: whether some numbers are known by their buckets only.
    read: the least part of the events of a side whose values were counted.
    """

    values: dict[Key, Pair] = field(default_factory=dict)
    buckets: dict[int, Pair] = field(default_factory=dict)
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


@dataclass(frozen=True, slots=True)
class Distributions:
    """fields: in the order of the request."""

    inside: Side
    outside: Side
    fields: Sequence[Distribution]


def merge_distributions(fields: int, answers: Sequence[Mapping[str, pa.Table]]) -> Distributions:
    """Merge the states of shares (`query.share.differences.sql`). fields: their number."""
    merged = [Distribution() for _ in range(fields)]
    sums = {side: [0.0, 0.0, 0.0] for side in (True, False)}
    for states in answers:
        total = Pair()
        for row in states["main"].to_pylist():
            sums[row["inside"]][0] += row["w"]
            sums[row["inside"]][1] += row["rows"]
            sums[row["inside"]][2] += row["w2"]
            total.add(*((row["w"], 0) if row["inside"] else (0, row["w"])))
        _add_share(merged, total, states["values"].to_pylist())
    sides = [Side(w, int(rows), w * w / w2 if w2 else 0.0) for w, rows, w2 in sums.values()]
    return Distributions(sides[0], sides[1], merged)


def _add_share(merged: Sequence[Distribution], total: Pair, rows: Sequence[dict[str, Any]]) -> None:
    """Add the rows of one share, of whose events `total` is the weight."""
    by_field: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_field.setdefault(row["field"], []).append(row)
    for index, one in enumerate(merged):
        some = by_field.get(index)
        if some is None:
            one.missing.add(total.inside, total.outside)
        else:
            _add_field(one, total, some)


def _add_field(one: Distribution, total: Pair, rows: Sequence[dict[str, Any]]) -> None:
    read = Pair()
    for row in rows:
        if not row["again"]:
            read.add(row["wi"], row["wo"])
    up = Pair(_over(total.inside, read.inside), _over(total.outside, read.outside))
    one.read = Pair(
        min(one.read.inside, 1 / up.inside if up.inside else 1.0),
        min(one.read.outside, 1 / up.outside if up.outside else 1.0),
    )
    bucketed = any(row["e"] is not None for row in rows)
    for row in rows:
        if row["again"]:
            # these may be read of all events where the others are of a part
            wi, wo = float(row["wi"]), float(row["wo"])
        else:
            wi, wo = row["wi"] * up.inside, row["wo"] * up.outside
        if row["e"] is not None:
            one.buckets.setdefault(row["e"], Pair()).add(wi, wo)
            one.in_buckets = one.in_buckets or not row["again"]
            continue
        if row["again"]:
            continue  # no number: it is counted by its value
        if row["others"]:
            one.others.add(wi, wo)
            one.others_number += row["number"]
            continue
        key = _key(row)
        if key is None:
            one.missing.add(wi, wo)
            continue
        one.values.setdefault(key, Pair()).add(wi, wo)
        if key[0] in "nf" and not bucketed:
            number = int(bucket_numbers(np.array([key[1]], np.float64))[0])
            one.buckets.setdefault(number, Pair()).add(wi, wo)


def _over(total: float, read: float) -> float:
    return total / read if read else 0.0


def _key(row: Mapping[str, Any]) -> Key | None:
    for part in "nfbs":
        if row[part] is not None:
            return part, row[part]
    return None
