"""Whether two engines gave the same answer."""

import math
from collections.abc import Sequence
from typing import Any

from benchmarks.queries.asking.asked import Asked, Form
from benchmarks.queries.engines.interface import Rows

_EXACT = 1e-9  # of doubles that were added up in another order


def difference(asked: Asked, mine: Rows, theirs: Rows, sketch: bool) -> str:
    """What differs, in words; empty if nothing does."""
    if len(mine) != len(theirs):
        return f"{len(mine)} rows, not {len(theirs)}"
    error = asked.error if sketch else _EXACT
    if asked.limit:
        return _first_rows(asked, mine, theirs, error)
    keyed = len(asked.keys) + (asked.form in (Form.SERIES, Form.BINS))
    own, other = ({row[:keyed]: row[keyed:] for row in rows} for rows in (mine, theirs))
    if own.keys() != other.keys():
        return f"groups differ: {sorted(map(str, own.keys() ^ other.keys()))[:3]}"
    for key, values in own.items():
        if not _close(values, other[key], error):
            return f"{key}: {values}, not {other[key]}"
    return ""


def _first_rows(asked: Asked, mine: Rows, theirs: Rows, error: float) -> str:
    """The first rows of many, in descending order of their first value.

    Of groups whose first value is that of the last row, as far as the error allows to tell, an
    engine may have any that fit; of every group that both have, all values are compared.
    """
    at = len(asked.keys)
    for number, (own, other) in enumerate(zip(mine, theirs, strict=True)):
        if not _close(own[at : at + 1], other[at : at + 1], error):
            return f"row {number}: {own}, not {other}"
    own_rows, other_rows = ({row[:at]: row[at:] for row in rows} for rows in (mine, theirs))
    if len(own_rows) < len(mine) or len(other_rows) < len(theirs):
        return "a group occurs more than once"
    for key in own_rows.keys() & other_rows.keys():
        if not _close(own_rows[key], other_rows[key], error):
            return f"{key}: {own_rows[key]}, not {other_rows[key]}"
    is_cut = len(mine) == asked.limit
    for some, others in ((own_rows, theirs), (other_rows, mine)):
        for key in some.keys() - {row[:at] for row in others}:
            if not (is_cut and _close(some[key][:1], others[-1][at : at + 1], error)):
                return f"group {key} is in one answer alone: {some[key]}"
    return ""


def _close(mine: Sequence[Any], theirs: Sequence[Any], error: float) -> bool:
    return all(
        a == b or (_is_number(a) and _is_number(b) and math.isclose(a, b, rel_tol=error))
        for a, b in zip(mine, theirs, strict=True)
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
