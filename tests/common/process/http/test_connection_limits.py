"""Which connections are let in, and which are closed to make room (I11, I14)."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.process.http.connection_limits import (
    Capacity,
    ConnectionLimits,
    EvictionRank,
    address_group,
)
from common.process.http.descriptors import DescriptorShare, capacity


@dataclass(eq=False, slots=True)
class FakeConnection:
    """A connection of a test."""

    limits: ConnectionLimits
    rank: EvictionRank | None
    since_s: float = 0.0
    open: bool = True

    def eviction_rank(self) -> EvictionRank | None:
        return self.rank

    def is_overdue(self, now_s: float) -> bool:
        return now_s - self.since_s > 10

    def close(self) -> None:
        assert self.open
        self.open = False
        self.limits.remove(self)


def let_in(
    limits: ConnectionLimits,
    address: str,
    rank: EvictionRank | None = EvictionRank.NO_REQUEST,
    since_s: float = 0,
) -> FakeConnection | None:
    if limits.refusal_reason(address):
        return None
    connection = FakeConnection(limits, rank, since_s)
    limits.add(connection, address)
    return connection


def test_the_silent_go_first_then_the_unknown_then_those_that_wait_longest() -> None:
    limits = ConnectionLimits(Capacity(4, 4), lambda: 0.0)
    known = let_in(limits, "a", EvictionRank.KNOWN_CLIENT, 1)
    heard = let_in(limits, "a", EvictionRank.HEAD_RECEIVED, 2)
    later = let_in(limits, "a", EvictionRank.NO_REQUEST, 4)
    sooner = let_in(limits, "a", EvictionRank.NO_REQUEST, 3)
    order = []
    for _ in range(4):
        before = [one for one in (known, heard, later, sooner) if one and one.open]
        assert let_in(limits, "b", None)
        order += [one for one in before if not one.open]
    assert order == [sooner, later, heard, known]
    assert let_in(limits, "c") is None  # all the others are being answered
    assert limits.refused == {"all": 1}


def test_address_with_its_share_takes_no_more_and_others_still_enter() -> None:
    limits = ConnectionLimits(Capacity(10, 3), lambda: 0.0)
    assert [let_in(limits, "greedy", None) is not None for _ in range(5)] == [True] * 3 + [
        False
    ] * 2
    assert limits.refused == {"address": 2}
    assert all(let_in(limits, f"other {n}", None) for n in range(7))


def test_idle_connections_of_the_address_itself_make_room_for_it() -> None:
    limits = ConnectionLimits(Capacity(10, 2), lambda: 0.0)
    victim = let_in(limits, "victim", EvictionRank.KNOWN_CLIENT)
    for n in range(20):
        assert let_in(limits, "greedy", EvictionRank.NO_REQUEST, n)
    assert victim
    assert victim.open
    assert len(limits) == 3


def test_addresses_of_this_machine_may_use_all_for_a_proxy_is_there() -> None:
    some = Capacity(100, 10)
    assert [some.of(a) for a in ("127.0.0.1", "::1", "::ffff:127.0.0.1")] == [100] * 3
    assert some.of("10.0.0.1") == 10


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("10.0.0.1", "10.0.0.2", False),
    ],
)
def test_a_network_of_one_client_is_one_address(one: str, other: str, same: bool) -> None:
    assert (address_group(one) == address_group(other)) == same


def test_refusals_are_an_alarm_for_some_minutes_and_it_says_what_to_do() -> None:
    now_s = 0.0
    limits = ConnectionLimits(Capacity(4, 2), lambda: now_s)
    assert limits.alarm_text() is None
    for _ in range(3):
        let_in(limits, "a", None)
    assert "connections_per_address_max" in (limits.alarm_text() or "")
    now_s = 200.0
    for n in range(3):
        let_in(limits, f"b{n}", None)
    limits.count_refusal("descriptors")
    assert "no file can be opened" in (limits.alarm_text() or "")
    now_s = 490.0
    assert "no file can be opened" in (limits.alarm_text() or "")
    now_s = 600.0
    assert limits.alarm_text() is None
    let_in(limits, "c", None)
    assert "ulimit -n" in (limits.alarm_text() or "")


def test_closing_the_overdue_closes_what_is_overdue_and_nothing_else() -> None:
    now_s = 11.0
    limits = ConnectionLimits(Capacity(10, 10), lambda: now_s)
    old, new = let_in(limits, "a", since_s=0), let_in(limits, "a", since_s=5)
    assert limits.close_overdue() == 1
    assert old
    assert new
    assert (old.open, new.open, len(limits)) == (False, True, 1)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from([None, *EvictionRank]), st.booleans()),
        max_size=80,
    )
)
def test_limit_is_never_exceeded_and_never_takes_a_connection_that_is_being_answered(
    steps: list[tuple[str, EvictionRank | None, bool]],
) -> None:
    now_s = 0.0
    limits = ConnectionLimits(Capacity(8, 5), lambda: now_s)
    open_ones: list[tuple[str, FakeConnection]] = []
    for address, rank, leaves in steps:
        now_s += 1
        open_ones = [one for one in open_ones if one[1].open]
        if leaves and open_ones:
            open_ones.pop(0)[1].close()
            continue
        connection = let_in(limits, address, rank, now_s)
        idle = [v for a, v in open_ones if v.rank is not None]
        if connection is None:
            own = [v for a, v in open_ones if a == address]
            assert not idle or (len(own) >= 5 and all(v.rank is None for v in own))
        else:
            open_ones.append((address, connection))
        assert all(v.open or v.rank is not None for _, v in open_ones)
        counted = Counter(a for a, v in open_ones if v.open)
        assert counted.total() == len(limits) <= 8
        assert max(counted.values(), default=0) <= 5


@pytest.mark.parametrize("files", [64, 256, 1_024, 65_536])
def test_listeners_together_leave_descriptors_for_the_role(files: int) -> None:
    public, beside = (
        capacity(DescriptorShare.PUBLIC, files),
        capacity(DescriptorShare.BESIDE_PUBLIC, files),
    )
    assert public.all + beside.all <= files * 0.63
    assert capacity(DescriptorShare.INTERNAL, files).all <= files // 4
    assert capacity(DescriptorShare.PUBLIC, files, wanted=10**6).all <= files // 2
    assert capacity(DescriptorShare.PUBLIC, files, wanted=7, per_address=5) == Capacity(7, 5)
