"""Patience follows what shares took; a budget bounds hedges; suspects are asked last."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from common import limits
from query.scatter.hedging import HedgingPolicy


@dataclass
class Hands:
    """A clock that a test moves."""

    now: int = 10**12

    def now_ns(self) -> int:
        return self.now

    def monotonic_ns(self) -> int:
        return self.now


def test_patience_follows_what_shares_took_lately() -> None:
    hedging = HedgingPolicy(Hands(), 2_000)
    assert hedging.hedge_after_s(0) == 0.5
    for _ in range(100):
        hedging.record_answer("a", 0.2, waited=False)
    patience = hedging.hedge_after_s(0)
    assert patience is not None
    assert 0.25 < patience < 0.35
    for _ in range(limits.SHARE_TIMES_KEPT):
        hedging.record_answer("a", 0.001, waited=False)
    assert hedging.hedge_after_s(0) == limits.HEDGE_S_MIN
    for _ in range(limits.SHARE_TIMES_KEPT):
        hedging.record_answer("a", 9.0, waited=False)
    assert hedging.hedge_after_s(0) == 2.0
    assert hedging.hedge_after_s(60_000) == 2.0 + limits.HEDGE_WAIT_S_MAX
    assert HedgingPolicy(Hands(), 0).hedge_after_s(0) is None


def test_shares_that_waited_for_a_position_tell_no_pace() -> None:
    hedging = HedgingPolicy(Hands(), 2_000)
    for _ in range(100):
        hedging.record_answer("a", 9.0, waited=True)
    assert hedging.hedge_after_s(0) == 0.5


@given(st.lists(st.sampled_from(["share", "slow"]), max_size=400))
def test_hedges_never_add_more_than_a_tenth_and_a_handful(happened: list[str]) -> None:
    hedging = HedgingPolicy(Hands(), 2_000)
    shares = hedges = 0
    for what in happened:
        if what == "slow":
            hedges += hedging.may_hedge()
        hedging.record_answer("a", 0.1, waited=False)
        shares += 1
    assert hedges <= limits.HEDGES_AT_ONCE_MAX + limits.HEDGES_PER_SHARE * shares


def test_who_was_silent_is_suspect_until_it_answers_or_a_while_has_passed() -> None:
    clock = Hands()
    hedging = HedgingPolicy(clock, 2_000)
    hedging.suspect("a")
    assert (hedging.is_suspect("a"), hedging.is_suspect("b")) == (True, False)
    hedging.record_answer("a", 0.1, waited=False)
    assert not hedging.is_suspect("a")
    hedging.suspect("a")
    clock.now += limits.SUSPECT_S * 10**9
    assert not hedging.is_suspect("a")
