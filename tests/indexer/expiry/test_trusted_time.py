"""What time it is believed to be, whatever the machine's clock says (I13)."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from common import limits
from indexer.expiry.trusted_time import Evidence, TrustedTime
from snapshot.retention.cutoffs import DAY_NS, HOUR_NS

NOW = 20_000 * DAY_NS
MINUTE_NS = 60 * 10**9


def started(saved_ns: int | None, wall_ns: int, *evidence: Evidence | None) -> TrustedTime:
    time = TrustedTime(saved_ns, 0)
    for one in evidence:
        time.begin(one, wall_ns)
    time.update(wall_ns, 0, agreed=False)
    return time


def test_clock_that_is_far_ahead_at_the_start_is_not_believed_however_long_it_runs() -> None:
    time = started(NOW, NOW + 70 * DAY_NS)
    for minute in range(0, 3000, 5):
        time.update(NOW + 70 * DAY_NS + minute * MINUTE_NS, minute * MINUTE_NS, agreed=False)
        assert time.now_ns == NOW + minute * MINUTE_NS
    assert time.ahead_ns == 70 * DAY_NS


def test_clock_that_leaps_while_running_is_not_believed_and_goes_back_unharmed() -> None:
    time = started(NOW, NOW)
    time.update(NOW + 3650 * DAY_NS, MINUTE_NS, agreed=False)
    assert time.now_ns == NOW + MINUTE_NS
    assert time.leapt_ns == 3650 * DAY_NS - MINUTE_NS
    time.update(NOW + 2 * MINUTE_NS, 2 * MINUTE_NS, agreed=False)
    assert time.now_ns == NOW + 2 * MINUTE_NS
    assert time.leapt_ns == 0


def test_night_off_is_caught_up_with_while_it_runs() -> None:
    time = started(NOW, NOW + 8 * HOUR_NS)
    assert time.now_ns == NOW
    time.update(NOW + 8 * HOUR_NS + HOUR_NS, HOUR_NS, agreed=False)
    assert time.now_ns == NOW + 9 * HOUR_NS


def test_long_time_off_is_believed_when_another_clock_agrees_or_an_operator_confirms() -> None:
    wall_ns = NOW + 30 * DAY_NS
    time = started(NOW, wall_ns)
    assert time.now_ns == NOW
    time.update(wall_ns, 0, agreed=True)
    assert time.now_ns == wall_ns
    time = started(NOW, wall_ns)
    time.update(wall_ns, 0, agreed=False, confirmed_ns=wall_ns - HOUR_NS)
    assert time.now_ns == wall_ns - HOUR_NS
    time.update(wall_ns + HOUR_NS, HOUR_NS, agreed=False)
    assert time.now_ns == wall_ns + HOUR_NS


def test_first_start_goes_on_from_what_is_stored_whichever_partition_is_seen_first() -> None:
    wall_ns = NOW + 70 * DAY_NS
    covered, older = Evidence(NOW, covered=True), Evidence(NOW - 10 * DAY_NS, covered=True)
    fresh_rows = Evidence(wall_ns, covered=False)  # stamped by this very process
    for seen in permutations([covered, older, fresh_rows, None]):
        assert started(None, wall_ns, *seen).now_ns == NOW
    assert started(None, wall_ns, Evidence(NOW, covered=False), fresh_rows).now_ns == NOW
    # stored by a clock that ran ahead: the one that says less is believed
    assert started(None, NOW, Evidence(wall_ns, covered=True)).now_ns == NOW
    # what is stored proves nothing against what was saved
    assert started(NOW, wall_ns, Evidence(wall_ns, covered=True)).now_ns == NOW


def test_new_installation_begins_with_its_clock() -> None:
    assert started(None, NOW, None).now_ns == NOW
    assert not started(None, NOW, None).is_known


def test_clock_that_stood_in_the_past_for_a_minute_is_believed_when_it_is_right_again() -> None:
    time = started(NOW, 0)
    assert time.now_ns == 0
    time.update(MINUTE_NS, MINUTE_NS, agreed=False)
    time.update(NOW + 2 * MINUTE_NS, 2 * MINUTE_NS, agreed=False)
    time.update(NOW + 60 * MINUTE_NS, 60 * MINUTE_NS, agreed=False)
    assert time.now_ns == NOW + 60 * MINUTE_NS


@given(st.lists(st.tuples(st.integers(0, 3600), st.integers(-(10**4), 10**4)), max_size=40))
def test_trusted_time_gains_at_most_a_day_an_hour_on_the_word_of_one_clock(
    moves: list[tuple[int, int]],
) -> None:
    time, steady_ns = started(NOW, NOW), 0
    for seconds, hours_off in moves:
        steady_ns += seconds * 10**9
        time.update(NOW + steady_ns + hours_off * HOUR_NS, steady_ns, agreed=False)
        assert time.now_ns <= NOW + steady_ns * limits.CLOCK_STEP_RATE
