"""What a clock's word is worth: when the log's time may be set back by it (I13)."""

import pytest

from common import limits
from indexer.partition.log_clock import (
    Pause,
    Repeats,
    SteadyClock,
    describe_duration,
    reason_against,
)

S_NS = 10**9
HOUR_NS = 3600 * S_NS
DAY_NS = 24 * HOUR_NS
NOW_NS = 1_790_000_000 * S_NS
# an installation that has appended every hour for forty days, up to an hour ago
LIVED_NS = [NOW_NS - n * HOUR_NS for n in range(1, 40 * 24)]


@pytest.mark.parametrize("ahead_ns", [HOUR_NS, DAY_NS, 70 * DAY_NS, 30 * 365 * DAY_NS])
def test_log_that_ran_ahead_may_be_set_back_to_the_time_it_leapt_over(ahead_ns: int) -> None:
    log_ns = NOW_NS + ahead_ns
    assert reason_against(NOW_NS, log_ns, LIVED_NS) == ""
    during = [log_ns - n * 60 * S_NS for n in range(30)]  # what was cut while it ran ahead
    assert reason_against(NOW_NS, log_ns, LIVED_NS + during) == ""


def test_log_that_has_known_nothing_but_clocks_that_ran_ahead_may_be_set_back() -> None:
    ahead = [NOW_NS + 70 * DAY_NS + n for n in range(3)]
    assert reason_against(NOW_NS, ahead[-1], ahead) == ""
    assert reason_against(NOW_NS, ahead[-1], []) == ""
    further = [*ahead, NOW_NS + 3_650 * DAY_NS]
    assert reason_against(NOW_NS, further[-1], further) == ""


def test_log_that_leapt_to_and_fro_may_be_set_back() -> None:
    leaps = [2 * HOUR_NS, 3 * HOUR_NS, 6 * HOUR_NS, 70 * DAY_NS, 140 * DAY_NS, 365 * DAY_NS]
    for newest in range(1, len(leaps)):
        for to_ns in (0, 2 * HOUR_NS):
            lived = [*LIVED_NS, *(NOW_NS + leap for leap in leaps)]
            log_ns = NOW_NS + leaps[newest]
            assert reason_against(NOW_NS + to_ns, log_ns, [t for t in lived if t <= log_ns]) == ""


@pytest.mark.parametrize("behind_ns", [2 * DAY_NS, 20 * DAY_NS, 39 * DAY_NS])
def test_clock_that_is_behind_does_not_date_rows_to_a_time_that_the_log_has_lived(
    behind_ns: int,
) -> None:
    assert "rows from before and after" in reason_against(NOW_NS - behind_ns, NOW_NS, LIVED_NS)


def test_time_before_everything_that_is_kept_and_the_dawn_of_computers_are_not_believed() -> None:
    for wrong_ns in (0, limits.CLOCK_EARLIEST_NS - 1, NOW_NS - 70 * DAY_NS):
        assert reason_against(wrong_ns, NOW_NS, LIVED_NS)
    assert reason_against(0, NOW_NS, [])


def test_clock_counts_as_steady_since_its_last_leap_in_either_direction() -> None:
    steady = SteadyClock()
    assert steady.steady_for_ns(NOW_NS, 0) == 0
    for second in range(1, 31):  # NTP slews it
        assert (
            steady.steady_for_ns(NOW_NS + second * (S_NS + 500_000), second * S_NS) == second * S_NS
        )
    for at, leap_ns in ((31, 70 * DAY_NS), (32, 0), (33, -5 * S_NS)):
        assert steady.steady_for_ns(NOW_NS + at * S_NS + leap_ns, at * S_NS) == 0
    assert steady.steady_for_ns(NOW_NS + 34 * S_NS - 5 * S_NS, 34 * S_NS) == S_NS


def test_clocks_that_disagree_for_a_day_cost_a_bounded_number_of_records() -> None:
    pause, written = Pause(), 0
    for second in range(24 * 3600):
        if pause.is_over(second * S_NS):
            written += 1
            pause.begin(second * S_NS)
    assert written < 160
    assert not pause.note_right(24 * 3600 * S_NS), "a moment's peace between two leaps is no peace"
    assert not pause.is_over(24 * 3600 * S_NS)
    assert pause.note_right(26 * 3600 * S_NS)
    assert pause.is_over(26 * 3600 * S_NS)


def test_log_that_was_ahead_a_moment_ago_is_not_calm_though_no_attempt_could_be_made() -> None:
    pause = Pause()
    pause.begin(0)
    calm_ns = limits.CLOCK_AGAIN_MAX_S * S_NS
    pause.note_wrong(5 * calm_ns)
    assert not pause.note_right(5 * calm_ns + S_NS)
    assert not pause.note_right(6 * calm_ns - 1)
    assert pause.note_right(6 * calm_ns)


def test_set_backs_count_as_repeated_until_none_was_needed_for_a_day() -> None:
    repeats, apart_ns = Repeats(), limits.CLOCK_REPEAT_S * S_NS
    counts = []
    for at_ns in (HOUR_NS, 2 * HOUR_NS, 2 * HOUR_NS + apart_ns, 3 * HOUR_NS + 2 * apart_ns):
        repeats.add(at_ns)
        counts.append((repeats.count, repeats.are_several))
    assert counts == [(1, False), (2, True), (3, True), (1, False)]


def test_distance_is_told_in_words() -> None:
    assert describe_duration(70 * DAY_NS) == "70.0 days"
    assert describe_duration(3 * HOUR_NS) == "3.0 h"


def test_installation_that_runs_by_day_has_lived_its_nights_as_well() -> None:
    by_day = [NOW_NS - day * DAY_NS - n * HOUR_NS for day in range(30) for n in range(1, 4)]
    for behind_h in range(5 * 24, 600, 7):
        assert reason_against(NOW_NS - behind_h * HOUR_NS, NOW_NS, by_day)
