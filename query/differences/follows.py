"""Which fields say the same as a selection's: told from some events of either side.

A field follows from another one if it can be told from it: the share of its entropy that the other
one explains (Theil's uncertainty coefficient) is near 1, or both are numbers of one order (the
correlation of their ranks is near 1 or -1).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Codes = npt.NDArray[np.int64]
_EXPLAINED: Final = 0.95
_CORRELATED: Final = 0.99
_EVENTS_MIN: Final = 40  # fewer tell nothing
_CODES_MOST: Final = 50  # numbers of more distinct values are taken by ranges of as many events
_PER_RANGE: Final = 40  # events, at the least
_RANGES_MOST: Final = 100


def followers(
    samples: Sequence[pa.Table], selected: Sequence[str], others: Sequence[str]
) -> dict[str, str]:
    """Of the other fields those that follow from a selected one, with the name of that.

    samples: of each share (`query.share.differences.sql`): the columns of the selected fields, then
    those of the others.
    """
    events = pa.concat_tables(samples) if samples else None
    if events is None or events.num_rows < _EVENTS_MIN:
        return {}
    columns = [_Column(events, at) for at in range(len(selected) + len(others))]
    found: dict[str, str] = {}
    for name, column in zip(others, columns[len(selected) :], strict=True):
        for given_name, given in zip(selected, columns, strict=False):
            if _follows(column, given):
                found[name] = given_name
                break
    return found


class _Column:
    """The values of a field in the events: their codes, and as ranks if they are many numbers."""

    def __init__(self, events: pa.Table, at: int) -> None:
        keys = events.column(f"k{at}").combine_chunks()
        self.codes: Codes = _codes(keys)
        self.ranks: npt.NDArray[np.float64] | None = None
        numbers = events.column(f"x{at}").combine_chunks()
        valid = np.asarray(pc.is_valid(numbers))
        distinct = len(np.unique(self.codes))
        if distinct <= _CODES_MOST or valid.sum() < len(valid) / 2:
            return
        values = numbers.fill_null(0.0).to_numpy(zero_copy_only=False)
        self.ranks = _ranks(values)
        ranges = int(min(_RANGES_MOST, max(2, len(values) // _PER_RANGE)))
        self.codes = np.where(valid, (self.ranks * ranges / len(values)).astype(np.int64), -1)
        self.valid = valid


def _codes(keys: pa.Array) -> Codes:
    found: Codes = keys.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return found.astype(np.int64)


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Ranks from 0, the middle one of equal values."""
    ordered, places = np.unique(values, return_inverse=True)
    counts = np.bincount(places, minlength=len(ordered))
    begins = np.cumsum(counts) - counts
    ranks: npt.NDArray[np.float64] = (begins + (counts - 1) / 2)[places]
    return ranks


def _follows(column: _Column, given: _Column) -> bool:
    if column.ranks is not None and given.ranks is not None:
        both = column.valid & given.valid
        if both.sum() < _EVENTS_MIN or (column.valid != given.valid).mean() > 1 - _EXPLAINED:
            return False
        one, two = column.ranks[both], given.ranks[both]
        correlation = float(np.corrcoef(one, two)[0, 1])
        return abs(correlation) >= _CORRELATED
    entropy = _entropy(column.codes)
    if entropy <= 0:
        return False
    joint = given.codes * (int(column.codes.max()) + 2) + column.codes + 1
    left = _entropy(joint) - _entropy(given.codes)
    return 1 - left / entropy >= _EXPLAINED


def _entropy(codes: Codes) -> float:
    _, counts = np.unique(codes, return_counts=True)
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum())
