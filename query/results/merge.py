"""Merges shares: states are rows, so one group-by per state merges them in any order and split."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from common import limits
from query.plan.plan import GroupKey, Plan, State
from query.results.chunked import python_list

Cell = tuple[GroupKey, int | None]  # a group and a series step (None: totals)
_SUMMED, _SMALLEST, _LARGEST = ("_w", "_isum", "_fsum"), ("_imin", "_fmin"), ("_imax", "_fmax")
_HASH_SPAN = 2.0**64


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Values in ascending order, and the cumulated weight up to and including each."""

    values: list[float]
    cumulated: list[int]

    def at(self, per_mille: int) -> float | None:
        """The smallest value whose cumulated weight reaches per_mille of the total weight."""
        if not self.values:
            return None
        wanted = per_mille * self.cumulated[-1]
        low, high = 0, len(self.values) - 1
        while low < high:
            middle = (low + high) // 2
            if self.cumulated[middle] * 1000 >= wanted:
                high = middle
            else:
                low = middle + 1
        return self.values[low]


@dataclass(frozen=True, slots=True)
class Merged:
    """Merged states by cell.

    main: the columns of `main`.
    distinct, quantiles: by index of the need.
    """

    main: dict[Cell, dict[str, Any]]
    distinct: dict[int, dict[Cell, int]] = field(default_factory=dict)
    quantiles: dict[int, dict[Cell, Quantiles]] = field(default_factory=dict)


Answers = Sequence[dict[str, pa.Table]]


def merge(
    plan: Plan,
    answers: Answers,
    *,
    by_group: bool = True,
    keep: Callable[[GroupKey], bool] | None = None,
) -> Merged:
    """Merge the states of shares, by group or all groups into one. keep: groups to merge."""
    width = len(plan.breakdowns)
    keys = [f"k{i}" for i in range(width)] if by_group else []

    def united(state: str) -> pa.Table:
        tables = [_kept(answer[state], width, keep) for answer in answers if state in answer]
        return pa.concat_tables(tables, promote_options="permissive")

    if not answers:
        return Merged({})
    merged = Merged(_merge_main(united("main"), keys))
    for index, need in enumerate(plan.needs):
        if not any(f"a{index}" in answer for answer in answers):
            continue  # the state is in `main`, or no row has the field
        if need.state is State.DISTINCT:
            merged.distinct[index] = _merge_distinct(united(f"a{index}"), keys)
        elif need.state is State.QUANTILE:
            merged.quantiles[index] = _merge_quantiles(united(f"a{index}"), keys)
    return merged


def _kept(table: pa.Table, width: int, keep: Callable[[GroupKey], bool] | None) -> pa.Table:
    if keep is None:
        return table
    groups = zip(*(python_list(table.column(f"k{i}")) for i in range(width)), strict=True)
    return table.filter(pa.array([keep(group) for group in groups], pa.bool_()))


def _cells(table: pa.Table, keys: list[str]) -> list[Cell]:
    steps = python_list(table.column("b"))
    if not keys:
        return [((), step) for step in steps]
    groups = zip(*(python_list(table.column(key)) for key in keys), strict=True)
    return list(zip(groups, steps, strict=True))


def _merge_main(table: pa.Table, keys: list[str]) -> dict[Cell, dict[str, Any]]:
    wanted: dict[str, str] = {"n": "sum"}
    for name in table.column_names:
        if name.startswith("a"):
            suffix = name[name.index("_") :]
            if suffix in _SUMMED:
                wanted[name] = "sum"
            elif suffix in _SMALLEST:
                wanted[name] = "min"
            elif suffix in _LARGEST:
                wanted[name] = "max"
    found = table.group_by([*keys, "b"]).aggregate(list(wanted.items()))
    columns = [python_list(found.column(f"{name}_{how}")) for name, how in wanted.items()]
    rows = zip(*columns, strict=True)
    return {
        cell: dict(zip(wanted, row, strict=True))
        for cell, row in zip(_cells(found, keys), rows, strict=True)
    }


def _merge_distinct(table: pa.Table, keys: list[str]) -> dict[Cell, int]:
    """Exact up to DISTINCT_EXACT_MAX values, then the k-minimum-values estimate."""
    found = table.group_by([*keys, "b", "h"]).aggregate([])
    hashes: dict[Cell, list[int]] = {}
    for cell, value in zip(_cells(found, keys), python_list(found.column("h")), strict=True):
        hashes.setdefault(cell, []).append(value)
    return {cell: estimate_distinct(values) for cell, values in hashes.items()}


def estimate_distinct(hashes: list[int]) -> int:
    """Number of distinct values, estimated from the smallest hashes of each share."""
    size = limits.DISTINCT_EXACT_MAX
    if len(hashes) < size:
        return len(hashes)
    return round((size - 1) * _HASH_SPAN / sorted(hashes)[size - 1])


def _merge_quantiles(table: pa.Table, keys: list[str]) -> dict[Cell, Quantiles]:
    found = table.group_by([*keys, "b", "v"]).aggregate([("w", "sum")])
    found = found.take(pc.sort_indices(found, sort_keys=[("v", "ascending")]))
    values, weights = python_list(found.column("v")), python_list(found.column("w_sum"))
    gathered: dict[Cell, Quantiles] = {}
    for cell, value, weight in zip(_cells(found, keys), values, weights, strict=True):
        state = gathered.setdefault(cell, Quantiles([], []))
        state.values.append(value)
        state.cumulated.append(weight + (state.cumulated[-1] if state.cumulated else 0))
    return gathered
