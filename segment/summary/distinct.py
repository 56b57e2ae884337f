"""Counts and hashes of the distinct values of one column, without an object per value."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from segment.parquet.encoders import Distinct, Encoders, Int64s, Texts, texts_of
from segment.parquet.reference import arrow_texts
from segment.summary.sizes import DISTINCT_TABLE_MAX, HASHES_MAX, VALUES_MAX
from segment.xxh64 import word_hashes

Hashes = npt.NDArray[np.uint64]
_DistinctOf = Callable[[npt.NDArray[np.int64]], Distinct]  # of the values at these indexes


class Counted(NamedTuple):
    """The distinct values of a column.

    distinct: their number.
    firsts: indexes of the first appearance of the most frequent values, most frequent first.
    counts: how often each of these occurs.
    others_most: every other value occurs at most so often.
    hashes: the smallest hashes, ascending.
    each: indexes of the first appearance of every distinct value; None: there are too many.
    """

    distinct: int
    firsts: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    others_most: int
    hashes: bytes
    each: npt.NDArray[np.uint32] | None = None


def count_texts(texts: Texts, encoders: Encoders) -> Counted:
    """Count texts."""
    found = encoders.distinct_texts(texts, DISTINCT_TABLE_MAX)
    hashes = encoders.hashes(texts if found is None else _at(texts, found.firsts), 0)
    if found is not None:
        return _from_table(found, hashes.view(np.uint64))

    def again(rows: npt.NDArray[np.int64]) -> Distinct:
        some = encoders.distinct_texts(_at(texts, rows), len(rows))
        assert some is not None  # there are not more values than rows
        return some

    return _from_hashes(hashes.view(np.uint64), again)


def count_words(values: Int64s, hashed: Int64s, encoders: Encoders) -> Counted:
    """Count numbers by their bits. hashed: for each the integer that its hash is made of."""
    found = encoders.distinct_words(values, DISTINCT_TABLE_MAX)
    if found is not None:
        return _from_table(found, word_hashes(hashed[found.firsts].view(np.uint64), 0))

    def again(rows: npt.NDArray[np.int64]) -> Distinct:
        some = encoders.distinct_words(values[rows], len(rows))
        assert some is not None
        return some

    return _from_hashes(word_hashes(hashed.view(np.uint64), 0), again)


def _at(texts: Texts, rows: npt.NDArray[np.integer]) -> Texts:
    """The texts at these indexes, one after another."""
    return texts_of(arrow_texts(texts).take(pa.array(rows)))


def _from_table(found: Distinct, hashes: Hashes) -> Counted:
    counts = np.bincount(found.indices, minlength=len(found.firsts))
    order = np.argsort(-counts, kind="stable")
    most = order[:VALUES_MAX]
    left = counts[order[VALUES_MAX]] if len(order) > VALUES_MAX else 0
    firsts = found.firsts.astype(np.int64)[most]
    smallest = _smallest(np.unique(hashes))
    return Counted(len(found.firsts), firsts, counts[most], int(left), smallest, found.firsts)


def _from_hashes(hashes: Hashes, again: _DistinctOf) -> Counted:
    """Count by hashes; the most frequent values are then counted themselves.

    Two values of one hash count as one, which happens to one of 10^9 columns, or if somebody wants
    it: then `distinct` is too small, and `others_most` too large, which it may be. There are more
    values than the table takes, so `distinct` never says that there are few.
    """
    ordered = np.sort(hashes)
    begins = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sizes = np.diff(np.append(begins, len(ordered)))
    unique = ordered[begins]
    distinct = max(len(unique), DISTINCT_TABLE_MAX + 1)
    order = np.argsort(-sizes, kind="stable")[: VALUES_MAX + 1]
    left = sizes[order[VALUES_MAX]] if len(order) > VALUES_MAX else 0
    most = order[:VALUES_MAX]
    most = most[sizes[most] > 1]  # of values that occur once any other is as frequent
    rows = np.flatnonzero(np.isin(hashes, unique[most])) if len(most) else np.empty(0, np.int64)
    if not len(rows):
        empty = np.empty(0, np.int64)
        return Counted(distinct, empty, empty, int(sizes[order[0]]), _smallest(unique))
    found = again(rows)
    counts = np.bincount(found.indices)
    listed = np.argsort(-counts, kind="stable")[:VALUES_MAX]
    if len(counts) > VALUES_MAX:
        left = max(left, counts[listed[-1]])
    return Counted(
        distinct,
        rows[found.firsts[listed]],
        counts[listed],
        int(left),
        _smallest(unique),
    )


def _smallest(unique: Hashes) -> bytes:
    return unique[:HASHES_MAX].astype("<u8").tobytes()
