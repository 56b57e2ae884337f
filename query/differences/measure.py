"""How much two sides differ in a field: the share of events that would have to be others, less what
chance alone may make of it.

The difference of a value is that of its shares inside and outside. It counts as far as it exceeds
what chance makes of so many events: with G, the logarithm of the likelihood ratio of two shares to
one, chance makes a G of more than ln(2 m / 0.05) in one of 20 questions that compare m shares, so a
difference d counts as d (1 - sqrt(ln(2 m / 0.05) / G)), or not at all. A field's score is the sum
over the values that are more frequent inside, or over those that are less frequent, whichever is
more; of numbers also the largest such difference of the shares up to a number (Kolmogorov's and
Smirnov's distance). It is from 0 to 1. A field with a value per event scores 0, since no value
comes often enough to exceed chance, and so does everything about a handful of events, unless a
value that is rare elsewhere is in nearly all of them.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Shares = npt.NDArray[np.float64]
CHANCE: Final = 0.05  # of a wrong difference among all that one question compares


@dataclass(frozen=True, slots=True)
class Numbers:
    """Effective numbers of events of both sides, and of comparisons of the whole question."""

    inside: float
    outside: float
    compared: int

    @property
    def limit(self) -> float:
        """The G that chance exceeds in one of 20 questions."""
        return math.log(2 * max(1, self.compared) / CHANCE)


@dataclass(frozen=True, slots=True)
class Measured:
    """score: from 0 to 1. confidence: the chance that not everything about it is by chance.

    at: index of the value, or of the number up to which shares are taken, that differs most.
    """

    score: float
    confidence: float
    at: int = -1


NOTHING: Final = Measured(0.0, 0.0)


def differing_values(inside: Shares, outside: Shares, numbers: Numbers) -> Measured:
    """Of values with these shares of the events of either side."""
    if not len(inside):
        return NOTHING
    g = likelihood(inside, outside, numbers)
    counted = _beyond_chance(inside - outside, g, numbers)
    score = max(float(counted.clip(0).sum()), float((-counted).clip(0).sum()))
    at = int(np.argmax(np.abs(counted) + 1e-9 * np.abs(inside - outside)))
    return Measured(min(1.0, score), _confidence(float(g.max()), numbers), at)


def differing_numbers(inside: Shares, outside: Shares, numbers: Numbers) -> Measured:
    """Of ascending numbers with these shares of the events of either side; others are missing."""
    if not len(inside):
        return NOTHING
    best = NOTHING
    for step in (1, -1):  # shares up to a number, and from a number on: some events have none
        up_in, up_out = np.cumsum(inside[::step])[::step], np.cumsum(outside[::step])[::step]
        up_in, up_out = np.minimum(up_in, 1.0), np.minimum(up_out, 1.0)
        g = likelihood(up_in, up_out, numbers)
        counted = np.abs(_beyond_chance(up_in - up_out, g, numbers))
        at = int(np.argmax(counted))
        confidence = _confidence(float(g.max()), numbers)
        best = max(best, Measured(float(counted[at]), confidence, at), key=_order)
    return best


def likelihood(inside: Shares, outside: Shares, numbers: Numbers) -> Shares:
    """G of each pair of shares: how much likelier two shares are than one, as a logarithm."""
    n_in, n_out = numbers.inside, numbers.outside
    if n_in <= 0 or n_out <= 0:
        return np.zeros(len(inside))
    both = (n_in * inside + n_out * outside) / (n_in + n_out)
    g: Shares = n_in * _divergence(inside, both) + n_out * _divergence(outside, both)
    return g


def _divergence(share: Shares, expected: Shares) -> Shares:
    """Kullback's and Leibler's, of a share and its complement."""
    with np.errstate(divide="ignore", invalid="ignore"):
        yes = np.where(share > 0, share * np.log(share / expected), 0.0)
        no = np.where(share < 1, (1 - share) * np.log((1 - share) / (1 - expected)), 0.0)
    found: Shares = np.nan_to_num(yes + no, nan=0.0, posinf=0.0).clip(0)
    return found


def _beyond_chance(difference: Shares, g: Shares, numbers: Numbers) -> Shares:
    with np.errstate(divide="ignore"):
        kept = 1 - np.sqrt(numbers.limit / np.maximum(g, 1e-300))
    counted: Shares = difference * kept.clip(0)
    return counted


def _confidence(g: float, numbers: Numbers) -> float:
    return 1 - min(1.0, 2 * numbers.compared * math.exp(-g))


def _order(one: Measured) -> Any:
    return one.score, one.confidence
