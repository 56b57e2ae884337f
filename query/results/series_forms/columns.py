"""Series as columns: the times once, and for each group an array per calculation.

A tenth of the bytes of rows, which repeat the time and all names in each, and read as much sooner.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from query.cancellation import check_cancelled
from query.plan.parts.conditions import GroupKey

ROWS: Final = "rows"
COLUMNS: Final = "columns"
FORMS: Final = (ROWS, COLUMNS)
_VALUES_AT_ONCE: Final = 4_096  # besides those of one group, more are never made together
Array = npt.NDArray[Any]


class GroupColumns(msgspec.Struct, omit_defaults=True):
    """A group's part of a series.

    data: the group's values by breakdown.
    values: by label of a calculation, a value for each of its steps.
    steps: places in `times` of the steps that the group has; None: it has all of them.
    """

    data: dict[str, Any]
    values: dict[str, Sequence[Any]]
    steps: list[int] | None = None


class SeriesColumns(msgspec.Struct):
    """A series. times: beginnings of its steps in unix seconds, ascending."""

    times: list[int]
    groups: list[GroupColumns]


NO_COLUMNS: Final = msgspec.json.encode(SeriesColumns([], []))


def columns_json(
    times_s: Sequence[int],
    breakdowns: Sequence[str],
    groups: Sequence[GroupKey],
    places: tuple[Array, Array],
    values_of: Callable[[slice], Mapping[str, Sequence[Any]]],
) -> bytes:
    """A series as JSON. times_s: of all steps, ascending.

    places: (the group, the step) of each value, both int64, sorted by group, then step.
    values_of: the values at some of these places, by label.
    """
    of_group, of_step = places
    bounds = np.searchsorted(of_group, np.arange(len(groups) + 1)).tolist()
    parts: list[msgspec.Raw] = []
    for at, first, values in _by_group(bounds, values_of):
        check_cancelled()
        count = bounds[at + 1] - bounds[at]
        if not count:
            continue
        start = bounds[at] - first
        made = GroupColumns(
            data=dict(zip(breakdowns, groups[at], strict=True)),
            values={label: some[start : start + count] for label, some in values.items()},
            steps=None if count == len(times_s) else of_step[bounds[at] : bounds[at + 1]].tolist(),
        )
        parts.append(msgspec.Raw(msgspec.json.encode(made)))
    return msgspec.json.encode({"times": times_s, "groups": parts})


def _by_group(
    bounds: list[int], values_of: Callable[[slice], Mapping[str, Sequence[Any]]]
) -> Iterator[tuple[int, int, Mapping[str, Sequence[Any]]]]:
    """(a group, the place of the first value, values among which are the group's).

    bounds: where the values of each group begin, and where the last ones end.
    """
    at = 0
    while at < len(bounds) - 1:
        until = max(at + 1, bisect_right(bounds, bounds[at] + _VALUES_AT_ONCE) - 1)
        values = values_of(slice(bounds[at], bounds[until]))
        yield from ((group, bounds[at], values) for group in range(at, until))
        at = until
