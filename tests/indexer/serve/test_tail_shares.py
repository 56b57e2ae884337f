"""Tails of an indexer: a share for each environment and key, bounded bytes for each reader."""

import contextlib

from common import limits
from common.process.fair.queue import NoRoom
from indexer.tail.registry import TailRegistry
from indexer.tail.tail import Tail, TailLimits, TailRecord, TailSubscription


def open_all(tails: TailRegistry, subscription: TailSubscription) -> list[Tail]:
    """As many as may be open."""
    opened: list[Tail] = []
    with contextlib.suppress(NoRoom):
        opened += (tails.open(subscription) for _ in range(limits.TAILS_MAX + 1))
    assert len(opened) <= limits.TAILS_MAX
    return opened


def test_tails_of_one_key_leave_places_for_other_keys_and_environments() -> None:
    tails = TailRegistry()
    mine = open_all(tails, TailSubscription("d", env="shop", key="a"))
    assert len(mine) == 22  # a third of 64
    others = open_all(tails, TailSubscription("d", env="shop", key="b"))
    assert len(others) == 10  # half of 64 together
    assert len(open_all(tails, TailSubscription("e", env="bank", key="c"))) == 11
    for tail in mine:
        tails.close(tail)
        tails.close(tail)  # does no harm
    assert len(open_all(tails, TailSubscription("d", env="shop", key="a"))) > 5


def test_a_query_role_that_does_not_tell_who_asks_has_a_share_for_each_dataset() -> None:
    tails = TailRegistry()
    open_all(tails, TailSubscription("d"))
    assert tails.open(TailSubscription("e"))


async def test_lines_that_wait_for_a_reader_are_bounded_by_bytes() -> None:
    tails = TailRegistry(TailLimits(bytes_max=10_000))
    tail = tails.open(TailSubscription("d", batches=True))
    line = b'{"t":1,"r":1,"d":{"n":"%b"}}\n' % (b"x" * 2_000)
    tails.publish("d", 0, [TailRecord(bytes(16), line) for _ in range(20)])
    assert len(tail._waiting) == 4
    assert tail.dropped == 16
    large = b'{"t":1,"r":1,"d":{"n":"%b"}}\n' % (b"x" * 20_000)
    tails.publish("d", 0, [TailRecord(bytes(16), large)])
    assert len(tail._waiting) == 1  # the newest stays, however large
    taken = await tail.take()
    assert taken.startswith(b"#skipped 20\n#0 ")  # and the reader is told, once
    tails.publish("d", 0, [TailRecord(bytes(16), line)])
    assert (await tail.take()).startswith(b"#0 ")
