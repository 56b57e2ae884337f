"""Bytes in flight: what one holds never takes another's share (I11, I14)."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import Unavailable
from shepherd.admission.shares import Held, Shares
from tests.shepherd.harness import shepherd

ROOM = 12_800
SHARE, KEYS, KEY, COMMON = ROOM // 8, ROOM // 32, ROOM // 256, ROOM * 3 // 8
Holder = tuple[str, str]

STEPS = st.lists(
    st.tuples(
        st.sampled_from("abcdefg"),  # an environment
        st.sampled_from("123"),  # one of its keys
        st.one_of(st.integers(1, 150), st.integers(1, ROOM)),
        st.booleans(),  # whether the oldest holding is given back instead
    ),
    max_size=60,
)


def own_parts(held: Counter[Holder], environment: str) -> int:
    """What an environment's keys hold within their small parts."""
    return sum(min(size, KEY) for (name, _), size in held.items() if name == environment)


def in_share(held: Counter[Holder], environment: str) -> int:
    """What an environment holds within its share."""
    total = sum(size for (name, _), size in held.items() if name == environment)
    small = min(own_parts(held, environment), KEYS)
    return small + min(total - small, SHARE - KEYS)


@given(STEPS)
def test_whoever_is_within_a_share_is_refused_only_while_the_shares_are_full(
    steps: list[tuple[str, str, int, bool]],
) -> None:
    shares = Shares(ROOM)
    held: Counter[Holder] = Counter()
    order: list[tuple[Holder, int]] = []
    for environment, key, size, give_back in steps:
        if give_back:
            if order:
                holder, amount = order.pop(0)
                shares.remove(*holder, amount)
                held[holder] -= amount
            continue
        total = sum(amount for (name, _), amount in held.items() if name == environment)
        filled = sum(in_share(held, name) for name in {name for name, _ in held})
        try:
            shares.add(environment, key, size)
        except Unavailable:
            small = held[environment, key] + size <= KEY
            keys_full = own_parts(held, environment) + size > KEYS
            shares_full = filled + size > ROOM - COMMON
            assert shares_full or total + size > SHARE - KEYS
            assert shares_full or not small or keys_full
        else:
            held[environment, key] += size
            order.append(((environment, key), size))
        assert shares.bytes == sum(held.values()) <= ROOM
        beyond = shares.bytes - sum(in_share(held, name) for name in {name for name, _ in held})
        assert beyond <= COMMON
    for holder, amount in order:
        shares.remove(*holder, amount)
    left = [(e.held, e.small, e.keys) for e in shares._environments.values()]
    assert (shares.bytes, shares._common) == (0, 0)
    assert left == [(0, 0, {})] * len(left)


def fill(shares: Shares, environment: str, key: str, piece: int = 10) -> int:
    """Take as much as there is; returns how much that was."""
    taken = 0
    while shares.fits(environment, key, piece):
        shares.add(environment, key, piece)
        taken += piece
    return taken


def test_one_alone_may_use_nearly_half_and_four_others_still_fill_their_shares() -> None:
    shares = Shares(ROOM)
    assert fill(shares, "greedy", "1") >= ROOM * 0.46
    for name in "bcde":
        assert fill(shares, name, "1") >= (SHARE - KEYS) * 0.98
        for key in "2345678":
            assert fill(shares, name, key) >= KEY * 0.9


def test_greedy_key_leaves_the_other_keys_of_its_environment_their_part() -> None:
    shares = Shares(ROOM)
    fill(shares, "e", "greedy")
    assert not shares.fits("e", "greedy", 1_000)
    assert [fill(shares, "e", key) for key in "123"] == [KEY // 10 * 10] * 3


def test_a_body_of_the_largest_size_fits_while_others_use_all_that_is_common() -> None:
    shares = Shares(128 * 1024 * 1024)
    fill(shares, "greedy", "1", 1_000_000)
    with Held(shares, "e", "1") as held:
        held.hold(5_000_000)  # as it came
        held.hold(5_500_000)  # its lines
    assert shares.held_by("e") == 0


def test_what_is_refused_is_not_counted() -> None:
    shares = Shares(ROOM)
    with pytest.raises(Unavailable, match="try again"):
        shares.add("e", "1", ROOM)
    assert (shares.bytes, shares.held_by("e")) == (0, 0)


def test_environments_that_hold_nothing_are_not_remembered_without_end() -> None:
    shares = Shares(ROOM)
    for n in range(5_000):
        shares.add(f"e{n}", "k", 1)
        shares.remove(f"e{n}", "k", 1)
    assert len(shares._environments) <= 1_025


async def test_bodies_give_back_what_they_held_whatever_became_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Shares] = []
    first = Shares.__init__

    def remembered(shares: Shares, bytes_max: int) -> None:
        first(shares, bytes_max)
        made.append(shares)

    monkeypatch.setattr(Shares, "__init__", remembered)
    async with shepherd(tmp_path) as server:
        for body, status in (
            (b'[{"data":{"a":1}}]', 200),
            (b'[{"data":{"a":1}}', 400),
            (b"", 400),
            (b"[" * 1_000, 400),
        ):
            assert (await server.post("/1/batch/d", body))[0] == status
        assert made
        assert [shares.bytes for shares in made] == [0] * len(made)
