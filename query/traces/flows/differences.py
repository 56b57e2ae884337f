"""Pairs of steps that two populations have in a different share of their instances.

A pair is reported only if chance does not explain it: by Fisher's exact test, with the number of
pairs that are compared taken into account (Bonferroni), so that two populations of one kind give
none. The test's unit is the instance: repetitions within one are not independent of each other.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from query.traces.flows.steps import Floats, Ints

_ROUNDING: Final = 1e-7  # tables that are equally likely count, whatever rounding makes of them
_DEVIATION_MIN: Final = 2.0  # any two-sided p below ERROR_MAX is beyond 2.5
ERROR_MAX: Final = 0.01  # chance that anything at all is reported where nothing differs


class Difference(NamedTuple):
    """A pair of steps. now, before: instances that have it, of all instances of a population.

    p: how likely so large a difference is where there is none.
    """

    first: str
    second: str
    now: int
    before: int
    now_of: int
    before_of: int
    p: float

    @property
    def change(self) -> float:
        """The share of instances now, less the share before."""
        return self.now / self.now_of - self.before / self.before_of


def differences(
    now: dict[tuple[str, str], int], before: dict[tuple[str, str], int], now_of: int, before_of: int
) -> list[Difference]:
    """The pairs that differ, the largest change first, then the least likely one, then by name.

    now, before: by pair, the number of instances. Empty if a population has no instance.
    """
    if not now_of or not before_of:
        return []
    pairs = sorted({*now, *before})
    log_factorials = _log_factorials(now_of + before_of)
    found = []
    for pair in pairs:
        a, b = now.get(pair, 0), before.get(pair, 0)
        if _deviation(a, b, now_of, before_of) < _DEVIATION_MIN:
            continue
        p = fisher(a, b, now_of, before_of, log_factorials)
        if p * len(pairs) < ERROR_MAX:
            found.append(Difference(*pair, a, b, now_of, before_of, p))
    found.sort(key=lambda one: (-abs(one.change), one.p, one.first, one.second))
    return found


def fisher(a: int, b: int, a_of: int, b_of: int, log_factorials: Floats | None = None) -> float:
    """The two-sided p of `a` of `a_of` against `b` of `b_of`: of all tables with these totals,
    those that are at most as likely as this one.
    """
    logs = _log_factorials(a_of + b_of) if log_factorials is None else log_factorials
    hits = a + b
    x = np.arange(max(0, hits - b_of), min(hits, a_of) + 1)
    log_p = _log_choose(logs, a_of, x) + _log_choose(logs, b_of, hits - x)
    log_p -= _log_choose(logs, a_of + b_of, np.array(hits))
    own = log_p[a - x[0]] + _ROUNDING
    return min(1.0, float(np.exp(log_p[log_p <= own]).sum()))


def _deviation(a: int, b: int, a_of: int, b_of: int) -> float:
    """The difference in standard deviations: those below the minimum need no exact test."""
    share = (a + b) / (a_of + b_of)
    variance = share * (1 - share) * (1 / a_of + 1 / b_of)
    return abs(a / a_of - b / b_of) / math.sqrt(variance) if variance else 0.0


def _log_choose(logs: Floats, n: int, k: Ints) -> Floats:
    return np.asarray(logs[n] - logs[k] - logs[n - k])


def _log_factorials(n: int) -> Floats:
    return np.concatenate([np.zeros(1), np.cumsum(np.log(np.arange(1, n + 1)))])
