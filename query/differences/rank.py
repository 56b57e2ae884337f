"""Fields in the order of how much the two sides differ in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from query.differences.distribution import Distribution, Distributions, Key, Pair
from query.differences.grid import NumberDistribution
from query.differences.measure import (
    NOTHING,
    Measured,
    Numbers,
    differing_numbers,
    differing_values,
)

# Numbers of more distinct values than these are shown as a histogram, others as values.
_CODES_MOST: Final = 24
_FRACTIONS_MOST: Final = 8  # if they are not all whole, they are hardly codes
_COMPARED_OF_NUMBERS: Final = 20  # bins


@dataclass(frozen=True, slots=True, repr=False)
class RankedField:
    """values: those that are listed, most frequent of either side first, with the missing one as
    None. numbers: None if the field is not shown as numbers.
    """

    name: str
    measured: Measured
    distribution: Distribution
    values: Sequence[tuple[Key | None, Pair]]
    numbers: NumberDistribution | None


def rank(names: Sequence[str], found: Distributions) -> list[RankedField]:
    """All fields, those that differ most first; equal ones by name."""
    listed = [_values(one, found) for one in found.fields]
    numbers = [_numbers(one) for one in found.fields]
    compared = sum(
        len(some) + (_COMPARED_OF_NUMBERS if known is not None else 0)
        for some, known in zip(listed, numbers, strict=True)
    )
    ranked = [
        RankedField(
            name, _measured(one, some, known, found, compared), one, some, _shown(one, some, known)
        )
        for name, one, some, known in zip(names, found.fields, listed, numbers, strict=True)
    ]
    return sorted(ranked, key=lambda one: (-one.measured.score, -one.measured.confidence, one.name))


def _values(one: Distribution, found: Distributions) -> list[tuple[Key | None, Pair]]:
    listed: list[tuple[Key | None, Pair]] = [*one.values.items()]
    if one.missing.inside or one.missing.outside:
        listed.append((None, one.missing))
    w_in, w_out = max(found.inside.weight, 1e-9), max(found.outside.weight, 1e-9)

    def order(item: tuple[Key | None, Pair]) -> tuple[float, str]:
        key, pair = item
        return -max(pair.inside / w_in, pair.outside / w_out), "" if key is None else str(key)

    return sorted(listed, key=order)


def _numbers(one: Distribution) -> NumberDistribution | None:
    return None if one.buckets is None else NumberDistribution.of(one.buckets)


def _shown(
    one: Distribution, listed: Sequence[tuple[Key | None, Pair]], numbers: NumberDistribution | None
) -> NumberDistribution | None:
    """The numbers, if they are most of the values and too many to be codes."""
    if numbers is None:
        return None
    texts = [pair for key, pair in listed if key is not None and key[0] in "bs"]
    other = sum(pair.inside + pair.outside for pair in texts)
    if other > float(numbers.inside.sum() + numbers.outside.sum()):
        return None
    parts = [key[0] for key, _ in listed if key is not None and key[0] in "nf"]
    most = _FRACTIONS_MOST if "f" in parts else _CODES_MOST
    return numbers if one.in_buckets or len(parts) + one.others_number > most else None


def _measured(
    one: Distribution,
    listed: Sequence[tuple[Key | None, Pair]],
    numbers: NumberDistribution | None,
    found: Distributions,
    compared: int,
) -> Measured:
    w_in, w_out = found.inside.weight, found.outside.weight
    if not w_in or not w_out:
        return NOTHING
    known = Numbers(
        found.inside.effective * one.read.inside,
        found.outside.effective * one.read.outside,
        max(1, compared),
    )
    inside = np.array([pair.inside for _, pair in listed]) / w_in
    outside = np.array([pair.outside for _, pair in listed]) / w_out
    measured = differing_values(inside.clip(0, 1), outside.clip(0, 1), known)
    if numbers is None:
        return measured
    grid = numbers.grid()
    in_bins = differing_values(
        (grid.inside / w_in).clip(0, 1), (grid.outside / w_out).clip(0, 1), known
    )
    up_to = differing_numbers(numbers.inside / w_in, numbers.outside / w_out, known)
    best = max((measured, in_bins, up_to), key=lambda m: (m.score, m.confidence))
    return Measured(best.score, max(m.confidence for m in (measured, in_bins, up_to)))
