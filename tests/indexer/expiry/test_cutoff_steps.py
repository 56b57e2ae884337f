"""Cut-offs move in bounded steps, and far only on the word of more than one clock (I13)."""

from hypothesis import given
from hypothesis import strategies as st

from common import limits
from indexer.expiry.cutoff_steps import CutoffDecision, CutoffRequest, CutoffSteps, whole_hours
from snapshot.retention.cutoffs import DAY_NS, HOUR_NS

T0 = 20_000 * DAY_NS
MINUTE_NS = 60 * 10**9


def decide(steps: CutoffSteps, wish: CutoffRequest, steady_ns: int, **more: bool) -> CutoffDecision:
    return steps.update({"d": wish}, steady_ns, agreed=more.get("agreed", False),
                      blocked=more.get("blocked", False))["d"]  # fmt: skip


def wish(days: float, word_days: float | None = None) -> CutoffRequest:
    """A cut-off that is wanted so many days after the oldest segment, by every clock."""
    wanted_ns = T0 + int(days * DAY_NS)
    confirmed_ns = 0 if word_days is None else T0 + int(word_days * DAY_NS)
    return CutoffRequest(T0, wanted_ns, wanted_ns, confirmed_ns)


def test_far_step_waits_however_long_the_process_runs() -> None:
    steps = CutoffSteps(0)
    for minute in range(0, 60 * 48, 5):
        found = decide(steps, wish(10), minute * MINUTE_NS)
        assert found.cutoff_ns <= T0
        assert found.waits_ns == 10 * DAY_NS


def test_near_step_is_a_day_of_cut_off_for_each_hour_of_running() -> None:
    steps = CutoffSteps(0)
    assert decide(steps, wish(1.5), 0).cutoff_ns == T0
    assert decide(steps, wish(1.5), 30 * MINUTE_NS).cutoff_ns == T0 + DAY_NS // 2
    assert decide(steps, wish(1.5), 60 * MINUTE_NS).cutoff_ns == T0 + DAY_NS
    assert decide(steps, wish(1.5), 90 * MINUTE_NS) == CutoffDecision(T0 + DAY_NS * 3 // 2)


def test_far_step_that_another_clock_agrees_to_is_made_in_bounded_steps() -> None:
    steps = CutoffSteps(0)
    assert decide(steps, wish(30), 0, agreed=True) == CutoffDecision(T0)
    assert decide(steps, wish(30), HOUR_NS, agreed=True) == CutoffDecision(T0 + DAY_NS)
    assert decide(steps, wish(30), 40 * HOUR_NS, agreed=True) == CutoffDecision(T0 + 30 * DAY_NS)


def test_clock_that_disagrees_stops_every_step_but_what_was_confirmed() -> None:
    steps = CutoffSteps(0)
    assert decide(steps, wish(1), HOUR_NS, blocked=True).cutoff_ns == T0
    assert decide(steps, wish(10, word_days=3), 2 * HOUR_NS, blocked=True).cutoff_ns == (
        T0 + 3 * DAY_NS
    )


def test_word_lets_expire_what_was_shown_and_not_more() -> None:
    steps = CutoffSteps(0)
    found = decide(steps, wish(10, word_days=10), 0)
    assert found == CutoffDecision(T0 + 10 * DAY_NS)
    later = decide(steps, wish(20, word_days=10), MINUTE_NS)
    assert later.cutoff_ns == T0 + 10 * DAY_NS
    assert later.waits_ns == 10 * DAY_NS
    assert decide(CutoffSteps(0), wish(5, word_days=10), 0).cutoff_ns == T0 + 5 * DAY_NS


def test_clock_that_is_not_believed_waits_also_for_less_than_a_step() -> None:
    found = decide(CutoffSteps(0), CutoffRequest(T0, T0 - 60 * DAY_NS, T0 + DAY_NS), HOUR_NS)
    assert found == CutoffDecision(whole_hours(T0 - 60 * DAY_NS), DAY_NS)


def test_what_grew_while_nobody_could_look_is_no_leap() -> None:
    steps = CutoffSteps(0)
    assert decide(steps, wish(-300), 0).waits_ns == 0
    assert decide(steps, wish(100), 400 * DAY_NS) == CutoffDecision(T0 + 100 * DAY_NS)


@given(st.lists(st.tuples(st.integers(0, 3600), st.floats(-100, 4000)), max_size=40))
def test_no_way_that_a_clock_moves_expires_more_than_a_day_an_hour_without_a_word(
    moves: list[tuple[int, float]],
) -> None:
    steps, ran_ns = CutoffSteps(0), 0
    for seconds, days in moves:
        ran_ns += seconds * 10**9
        found = decide(steps, wish(days), ran_ns)
        assert found.cutoff_ns <= T0 + ran_ns * limits.CLOCK_STEP_RATE
