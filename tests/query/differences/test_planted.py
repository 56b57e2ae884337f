"""A planted cause is found among 200 fields, and nothing is found where there is nothing."""

import pytest

from tests.query.differences.generated import CAUSE, find, planted, ranking


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_cause_is_first_among_200_fields(seed: int) -> None:
    wanted, found = find(planted(seed, 6_000, 0.15))
    assert ranking(found, wanted)[0] in CAUSE
    assert set(ranking(found, wanted)[:3]) == set(CAUSE)
    assert found.follows == {"duration_s": "duration_ms"}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_cause_that_two_percent_of_events_carry_is_among_the_first_three(seed: int) -> None:
    wanted, found = find(planted(seed, 8_000, 0.02))
    first = ranking(found, wanted)[:3]
    assert set(first) & set(CAUSE)
    assert first[0] in CAUSE


def test_without_a_cause_nothing_but_the_selection_differs() -> None:
    views = planted(5, 6_000, 0.0, fields=60, partitions=2)
    selection = [{"column": "field000", "op": "=", "value": "b"}]
    _, found = find(views, selection=selection)
    differing = [one.name for one in found.ranked if one.measured.score > 0]
    assert differing == ["field000"]


def test_a_handful_of_events_shows_only_what_nearly_all_of_them_share() -> None:
    views = planted(6, 6_000, 0.0, fields=60, partitions=2)
    selection = [{"column": "user", "op": "=", "value": 77}]
    _, found = find(views, selection=selection)
    assert found.sides.inside.stored < 40
    differing = [one.name for one in found.ranked if one.measured.score > 0]
    assert differing == ["user"]
