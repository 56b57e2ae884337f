"""Waits between attempts grow up to a most, and begin anew after a success."""

import random

import pytest

from common.back_off import BackOff


def test_waits_grow_by_the_factor_up_to_the_most() -> None:
    back_off = BackOff(0.5, 3.0)
    assert [back_off.next() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    slow = BackOff(1, 100, factor=10)
    assert [slow.next() for _ in range(4)] == [1, 10, 100, 100]


def test_after_a_success_waits_begin_anew() -> None:
    back_off = BackOff(1.0, 8.0)
    back_off.next(), back_off.next()
    back_off.reset()
    assert [back_off.next(), back_off.next()] == [1.0, 2.0]


def test_jitter_spreads_a_wait_and_not_the_growth() -> None:
    back_off = BackOff(1.0, 8.0, jitter=(0.5, 1.5), rng=random.Random(7))
    same = random.Random(7)
    expected = [wait * same.uniform(0.5, 1.5) for wait in (1.0, 2.0, 4.0, 8.0, 8.0)]
    assert [back_off.next() for _ in range(5)] == expected


def test_jitter_without_random_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="random"):
        BackOff(1.0, 8.0, jitter=(0.5, 1.5))
