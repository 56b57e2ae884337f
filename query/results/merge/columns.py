"""Columns of states, added up over the rows of several tables that have the same cell.

Integer sums are exact: a weighted sum of 64-bit values has up to 128 bits. Sums that cannot leave
64 bits are kept as such; others in four limbs of 32 bits, so that 2^31 of them can be added. Sums
of doubles are compensated (Knuth's two-sum): the result is that of twice the precision, rounded
once.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from query.cancellation import check_cancelled

Array = npt.NDArray[Any]
_LIMB = np.int64(0xFFFFFFFF)


class Column(NamedTuple):
    """Values by cell. held: whether a cell has one.

    values: int64 or float64; of wide sums the four limbs, the lowest first, shape (4, cells).
    """

    values: Array
    held: Array

    def take(self, cells: Array) -> "Column":
        """The values of these cells."""
        return Column(self.values[..., cells], self.held[cells])


class Part(NamedTuple):
    """A column of one table. ids: the cell of each row, no two alike; None: row i is cell i."""

    column: pa.ChunkedArray
    ids: Array | None

    @property
    def at(self) -> Array | slice:
        """The cells of the rows, as an index."""
        return slice(0, len(self.column)) if self.ids is None else self.ids

    def cells_of(self, rows: Array) -> Array:
        """The cells of the rows for which `rows` is true."""
        return np.flatnonzero(rows) if self.ids is None else self.ids[rows]


def add_up(name: str, parts: Sequence[Part], cells: int) -> Column:
    """The column over all parts, by the ending of its name."""
    check_cancelled()
    ending = name[name.rindex("_") :]
    if len(parts) == 1 and parts[0].ids is None and len(parts[0].column) == cells:
        return _read(ending, parts[0].column)
    if ending == "_isum":
        return _add_exact(parts, cells)
    if ending == "_fsum":
        return _add_doubles(parts, cells)
    return _add_plain(ending, parts, cells)


def regrouped(name: str, column: Column, ids: Array, cells: int) -> Column:
    """The column with its cells put together. ids: the new cell of each."""
    check_cancelled()
    values, at = column.values[..., column.held], ids[column.held]
    held = np.zeros(cells, np.bool_)
    held[at] = True
    ending = name[name.rindex("_") :]
    if ending == "_fsum":
        return Column(_sums_of_doubles(values, at, cells), held)
    if ending == "_isum" and not _stays_narrow(values, len(at)):
        values = _wide(values)
    made = np.zeros((*values.shape[:-1], cells), values.dtype)
    if ending in _ENDS:
        made[at] = values
        _ENDS[ending].at(made, at, values)
        return Column(made, held)
    for total, one in zip(np.atleast_2d(made), np.atleast_2d(values), strict=True):
        np.add.at(total, at, one)
    return Column(_carried(made), held)


def exact_sum(column: Column) -> int:
    """The sum over all cells, without limits."""
    held = column.values if column.held.all() else column.values[..., column.held]
    if held.ndim == 1:
        if _stays_narrow(held, len(held)):
            return int(held.sum())
        low, high = int((held & _LIMB).sum()), int((held >> 32).sum())
        return (high << 32) + low
    return sum(int(limb.sum()) << (32 * at) for at, limb in enumerate(held))


def sum_of_doubles(values: Array) -> float:
    """The compensated sum."""
    return float(_sums_of_doubles(values, np.zeros(len(values), np.int64), 1)[0])


def _sums_of_doubles(values: Array, ids: Array, cells: int) -> Array:
    """The compensated sum of each cell: neighbours in a cell are added until it has one value."""
    order = np.argsort(ids, kind="stable")
    values, ids = values[order], ids[order]
    error = np.zeros(cells)
    with np.errstate(invalid="ignore", over="ignore"):
        while len(ids) > 1 and (ids[1:] == ids[:-1]).any():
            sizes = np.bincount(ids, minlength=cells)
            at = np.arange(len(ids)) - (np.cumsum(sizes) - sizes)[ids]  # within its cell
            first = np.flatnonzero(at % 2 == 0)
            second = np.minimum(first + 1, len(ids) - 1)
            has_second = at[second] == at[first] + 1
            values, lost = _two_sum(values[first], np.where(has_second, values[second], 0.0))
            ids = ids[first]
            error += np.bincount(ids, lost, cells)
        total = np.zeros(cells)
        total[ids] = values
        return np.where(np.isfinite(error), total + error, total)


def whole_64(column: Column) -> tuple[Array, Array, Array]:
    """(exact sums as int64, whether they fit, the nearest doubles)."""
    if column.values.ndim == 1:
        fits = np.ones(len(column.values), np.bool_)
        return column.values, fits, column.values.astype(np.float64)
    limbs = _carried(column.values)
    high = limbs[2] + (limbs[3] << 32)
    low = limbs[0] + (limbs[1] << 32)  # the bits of the lower half
    fits = high == low >> 63
    above = low.astype(np.uint64).astype(np.float64)
    real = np.where(fits, low.astype(np.float64), high * 2.0**64 + above)
    return low, fits, real


def values_of(column: pa.ChunkedArray, fill: Any) -> tuple[Array, Array]:
    """(values, whether there is one); missing values are `fill`."""
    held = pc.is_valid(column).to_numpy() if column.null_count else np.ones(len(column), np.bool_)
    filled = pc.fill_null(column, fill) if column.null_count else column
    return filled.to_numpy(), held


_ENDS = {"_imin": np.minimum, "_fmin": np.minimum, "_imax": np.maximum, "_fmax": np.maximum}


def _read(ending: str, column: pa.ChunkedArray) -> Column:
    if ending == "_isum":
        return _exact_of(column)
    return Column(*values_of(column, 0))


def _add_plain(ending: str, parts: Sequence[Part], cells: int) -> Column:
    """Weights are added; of ends the smallest or largest is kept."""
    kind = np.dtype(parts[0].column.type.to_pandas_dtype())
    values, held = np.zeros(cells, kind), np.zeros(cells, np.bool_)
    for part in parts:
        there, is_held = values_of(part.column, 0)
        if ending not in _ENDS:
            values[part.at] += there  # 0 where there is none
            held[part.at] |= is_held
            continue
        at, there = part.cells_of(is_held), there[is_held]
        both = _ENDS[ending](values[at], there)
        values[at] = np.where(held[at], both, there)
        held[at] = True
    return Column(values, held)


def _add_exact(parts: Sequence[Part], cells: int) -> Column:
    read = [_exact_of(part.column) for part in parts]
    if not all(_stays_narrow(one.values, len(parts)) for one in read):
        read = [Column(_wide(one.values), one.held) for one in read]
    values = np.zeros((*read[0].values.shape[:-1], cells), np.int64)
    held = np.zeros(cells, np.bool_)
    for part, one in zip(parts, read, strict=True):
        values[..., part.at] += one.values
        held[part.at] |= one.held
    return Column(values, held)


def _add_doubles(parts: Sequence[Part], cells: int) -> Column:
    total, error = np.zeros(cells), np.zeros(cells)
    held = np.zeros(cells, np.bool_)
    with np.errstate(invalid="ignore", over="ignore"):
        for part in parts:
            there, is_held = values_of(part.column, 0.0)
            total[part.at], lost = _two_sum(total[part.at], there)
            error[part.at] += lost
            held[part.at] |= is_held
        return Column(np.where(np.isfinite(error), total + error, total), held)


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """(the rounded sum, what rounding has lost)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _exact_of(column: pa.ChunkedArray) -> Column:
    """The values of a column of DECIMAL(38, 0), which is stored as 128-bit integers."""
    halves = [
        np.frombuffer(chunk.buffers()[1], np.int64)[2 * chunk.offset :][: 2 * len(chunk)]
        for chunk in column.chunks
        if len(chunk)
    ]
    bits = np.concatenate(halves).reshape(-1, 2).T if halves else np.zeros((2, 0), np.int64)
    held = pc.is_valid(column).to_numpy() if column.null_count else np.ones(len(column), np.bool_)
    if column.null_count:
        bits = np.where(held, bits, 0)  # bytes of missing values mean nothing
    low, high = bits[0], bits[1]
    if (high == low >> 63).all():
        return Column(np.ascontiguousarray(low), held)
    return Column(np.stack([low & _LIMB, (low >> 32) & _LIMB, high & _LIMB, high >> 32]), held)


def _stays_narrow(values: Array, times: int) -> bool:
    """Whether so many of these sums stay within 64 bits when they are added."""
    if values.ndim > 1:
        return False
    largest = max(abs(int(values.min(initial=0))), int(values.max(initial=0)))
    return largest * times < 2**63


def _wide(values: Array) -> Array:
    """The limbs of sums."""
    if values.ndim > 1:
        return values
    high = values >> 63
    return np.stack([values & _LIMB, (values >> 32) & _LIMB, high & _LIMB, high])


def _carried(limbs: Array) -> Array:
    """The same sums, with the three lower limbs below 2^32; other arrays as they are."""
    if limbs.ndim == 1:
        return limbs
    made = limbs.copy()
    for at in range(3):
        made[at + 1] += made[at] >> 32
        made[at] &= _LIMB
    return made
