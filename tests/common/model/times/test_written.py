"""Times as text."""

import random

import pytest

from common.model.times.written import rfc3339, rfc3339_ns


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (1_500_000_000, "1970-01-01T00:00:01.500Z"),
        (1_000_001_000, "1970-01-01T00:00:01.000001Z"),
        (2**63 - 1, "2262-04-11T23:47:16.854775807Z"),
        (-(2**63), "1677-09-21T00:12:43.145224192Z"),
    ],
)
def test_times_have_as_many_digits_as_they_need(ns: int, text: str) -> None:
    assert rfc3339(ns) == text


def test_exact_times_sort_like_the_numbers() -> None:
    rng = random.Random(3)
    some = [rng.choice([10**9, 10**6, 1]) * rng.randrange(10**9) for _ in range(500)]
    assert sorted(some, key=rfc3339_ns) == sorted(some)
