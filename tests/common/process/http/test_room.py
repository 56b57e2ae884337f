"""Who is let in, and who is closed to make room (I11, I14)."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.process.http.descriptors import Part, capacity
from common.process.http.room import Capacity, Room, Standing, address_group


@dataclass(eq=False, slots=True)
class Visitor:
    """A connection of a test."""

    room: Room
    stands: Standing | None
    since_s: float = 0.0
    open: bool = True

    def standing(self) -> Standing | None:
        return self.stands

    def overdue(self, now_s: float) -> bool:
        return now_s - self.since_s > 10

    def close(self) -> None:
        assert self.open
        self.open = False
        self.room.leave(self)


def enter(
    room: Room, address: str, stands: Standing | None = Standing.SILENT, since_s: float = 0
) -> Visitor | None:
    if room.refuses(address):
        return None
    visitor = Visitor(room, stands, since_s)
    room.enter(visitor, address)
    return visitor


def test_the_silent_go_first_then_the_unknown_then_those_that_wait_longest() -> None:
    room = Room(Capacity(4, 4), lambda: 0.0)
    known = enter(room, "a", Standing.KNOWN, 1)
    heard = enter(room, "a", Standing.HEARD, 2)
    later = enter(room, "a", Standing.SILENT, 4)
    sooner = enter(room, "a", Standing.SILENT, 3)
    order = []
    for _ in range(4):
        before = [one for one in (known, heard, later, sooner) if one and one.open]
        assert enter(room, "b", None)
        order += [one for one in before if not one.open]
    assert order == [sooner, later, heard, known]
    assert enter(room, "c") is None  # all the others are being answered
    assert room.refused == {"all": 1}


def test_address_with_its_share_takes_no_more_and_others_still_enter() -> None:
    room = Room(Capacity(10, 3), lambda: 0.0)
    assert [enter(room, "greedy", None) is not None for _ in range(5)] == [True] * 3 + [False] * 2
    assert room.refused == {"address": 2}
    assert all(enter(room, f"other {n}", None) for n in range(7))


def test_idle_connections_of_the_address_itself_make_room_for_it() -> None:
    room = Room(Capacity(10, 2), lambda: 0.0)
    victim = enter(room, "victim", Standing.KNOWN)
    for n in range(20):
        assert enter(room, "greedy", Standing.SILENT, n)
    assert victim
    assert victim.open
    assert len(room) == 3


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
    room = Room(Capacity(4, 2), lambda: now_s)
    assert room.trouble() is None
    for _ in range(3):
        enter(room, "a", None)
    assert "connections_per_address_max" in (room.trouble() or "")
    now_s = 200.0
    for n in range(3):
        enter(room, f"b{n}", None)
    room.refuse("descriptors")
    assert "no file can be opened" in (room.trouble() or "")
    now_s = 490.0
    assert "no file can be opened" in (room.trouble() or "")
    now_s = 600.0
    assert room.trouble() is None
    enter(room, "c", None)
    assert "ulimit -n" in (room.trouble() or "")


def test_sweep_closes_what_is_overdue_and_nothing_else() -> None:
    now_s = 11.0
    room = Room(Capacity(10, 10), lambda: now_s)
    old, new = enter(room, "a", since_s=0), enter(room, "a", since_s=5)
    assert room.sweep() == 1
    assert old
    assert new
    assert (old.open, new.open, len(room)) == (False, True, 1)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from([None, *Standing]), st.booleans()),
        max_size=80,
    )
)
def test_room_is_never_exceeded_and_never_takes_a_connection_that_is_being_answered(
    steps: list[tuple[str, Standing | None, bool]],
) -> None:
    now_s = 0.0
    room = Room(Capacity(8, 5), lambda: now_s)
    open_ones: list[tuple[str, Visitor]] = []
    for address, stands, leaves in steps:
        now_s += 1
        open_ones = [one for one in open_ones if one[1].open]
        if leaves and open_ones:
            open_ones.pop(0)[1].close()
            continue
        visitor = enter(room, address, stands, now_s)
        idle = [v for a, v in open_ones if v.stands is not None]
        if visitor is None:
            own = [v for a, v in open_ones if a == address]
            assert not idle or (len(own) >= 5 and all(v.stands is None for v in own))
        else:
            open_ones.append((address, visitor))
        assert all(v.open or v.stands is not None for _, v in open_ones)
        counted = Counter(a for a, v in open_ones if v.open)
        assert counted.total() == len(room) <= 8
        assert max(counted.values(), default=0) <= 5


@pytest.mark.parametrize("files", [64, 256, 1_024, 65_536])
def test_listeners_together_leave_descriptors_for_the_role(files: int) -> None:
    public, aside = capacity(Part.PUBLIC, files), capacity(Part.ASIDE, files)
    assert public.all + aside.all <= files * 0.63
    assert capacity(Part.INTERNAL, files).all <= files // 4
    assert capacity(Part.PUBLIC, files, wanted=10**6).all <= files // 2
    assert capacity(Part.PUBLIC, files, wanted=7, per_address=5) == Capacity(7, 5)
