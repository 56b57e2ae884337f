"""Rates: how fast a value changes from step to step.

The rate of a step is the difference to the last step before it with a value, divided by the time
between the two. A value that falls is that of a counter which began anew at zero; one that falls
below zero has no rate, nor has the first one. The rate of a whole range is what its steps come to,
divided by the time between the first and the last value.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Rates:
    """Of each cell of a group and a step, what it has more than the step before.

    groups, steps: of each. values: doubles. held: whether there is a value.
    """

    groups: Array
    steps: Array
    values: Array
    held: Array
    step_s: float

    def _increases(self) -> tuple[Array, Array, Array]:
        """(the cell, its increase, the seconds it took) of each that has one."""
        at = np.flatnonzero(self.held)
        at = at[np.lexsort((self.steps[at], self.groups[at]))]
        after, before = at[1:], at[:-1]
        same = self.groups[after] == self.groups[before]
        after, before = after[same], before[same]
        values, earlier = self.values[after], self.values[before]
        with np.errstate(invalid="ignore", over="ignore"):
            more = np.where(values < earlier, values, values - earlier)
        known = (more >= 0) & np.isfinite(more)
        seconds = (self.steps[after] - self.steps[before]) * self.step_s
        return after[known], more[known], seconds[known]

    def by_cell(self) -> tuple[Array, Array]:
        """(rate of each cell per second, whether there is one)."""
        found, held = np.zeros(len(self.values)), np.zeros(len(self.values), np.bool_)
        at, more, seconds = self._increases()
        found[at], held[at] = more / seconds, True
        return found, held

    def by_group(self, groups: int) -> tuple[Array, Array]:
        """As `by_cell`, by group, of which there are so many."""
        at, more, seconds = self._increases()
        sums = np.bincount(self.groups[at], more, groups)
        times = np.bincount(self.groups[at], seconds, groups)
        held = times > 0
        return np.divide(sums, times, out=np.zeros(groups), where=held), held
