"""Many events: fields with ever-new values are counted in a part, numbers in buckets."""

import pytest

from common import limits
from query.differences.find import FoundDifferences
from query.differences.rank import RankedField
from tests.query.differences.generated import SLOW, find, planted, ranking

EVENTS = 4_000


def field(found: FoundDifferences, name: str) -> RankedField:
    return next(one for one in found.ranked if one.name == name)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the events were very many."""
    monkeypatch.setattr(limits, "DIFFERENCES_SMALL", 500)
    monkeypatch.setattr(limits, "DIFFERENCES_TEXTS_FEW", 1_000)
    monkeypatch.setattr(limits, "DIFFERENCES_NUMBERS_FEW", 100)


@pytest.mark.usefixtures("many")
def test_ids_are_counted_in_a_part_of_the_events_and_other_fields_in_all() -> None:
    wanted, found = find(planted(1, EVENTS, 0.1, fields=25, partitions=2))
    ids = field(found, "trace_id").distribution
    assert ids.read.outside < 0.5
    listed = sum(one.outside for one in ids.values.values()) + ids.others.outside
    assert listed + ids.missing.outside == pytest.approx(found.sides.outside.weight)
    assert field(found, "trace_id").measured.score == 0
    build = field(found, "build").distribution
    assert (build.read.inside, build.read.outside) == (1.0, 1.0)
    assert sum(one.inside + one.outside for one in build.values.values()) == EVENTS
    duration = field(found, "duration_ms")
    assert duration.distribution.in_buckets
    assert duration.numbers is not None
    assert duration.numbers.inside.sum() + duration.numbers.outside.sum() == EVENTS
    assert set(ranking(found, wanted)[:3]) == {"build", "host_type", "region"}
    assert found.follows == {"duration_s": "duration_ms"}


@pytest.mark.usefixtures("many")
def test_of_more_values_than_may_be_counted_a_part_is_drawn_and_scaled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "DIFFERENCES_DRAWN_MIN", 1_000)
    monkeypatch.setattr(limits, "DIFFERENCES_VALUES_MAX", 25_000)
    wanted, found = find(planted(2, EVENTS, 0.15, fields=25))
    build = field(found, "build").distribution
    assert build.read.outside < 0.6
    weights = build.values.values()
    assert sum(one.outside for one in weights) == pytest.approx(found.sides.outside.weight)
    assert sum(one.inside for one in weights) == pytest.approx(found.sides.inside.weight)
    assert ranking(found, wanted)[0] in ("build", "host_type", "region")


def test_a_split_of_the_events_over_shares_changes_no_count() -> None:
    _, whole = find(planted(3, EVENTS, 0.1, fields=25), selection=SLOW)
    _, split = find(planted(3, EVENTS, 0.1, fields=25, partitions=4), selection=SLOW)
    assert whole.sides.inside == split.sides.inside
    assert [one.name for one in whole.ranked] == [one.name for one in split.ranked]
    for one in ("build", "field000", "field003"):
        first, second = field(whole, one).distribution, field(split, one).distribution
        assert first.values == second.values
        assert (first.missing, first.others) == (second.missing, second.others)
