"""Segments that are fetched for questions: every environment and key gets its turn."""

import asyncio
import threading
from pathlib import Path
from typing import cast

from common.process.fair.requester import Requester
from indexer.serve.fair_fetches import FairFetches
from snapshot.bootstrap.fetch_segments import SegmentFetcher
from snapshot.cache import SegmentCache
from snapshot.documents.locations import SegmentLocation
from tests.waiting import PATIENCE_S, eventually

SHOP, MATE, BANK = Requester("shop", "a"), Requester("shop", "b"), Requester("bank", "a")


class Store:
    """Fetches of names that begin with `heavy` take until `release`."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.began: list[str] = []

    def ensure(self, location: SegmentLocation) -> Path:
        self.began.append(location.object_hash)
        if location.object_hash.startswith("heavy"):
            self.release.wait(PATIENCE_S)
        return Path(location.object_hash)


def some(name: str, count: int) -> list[SegmentLocation]:
    return [SegmentLocation(f"{name}{number}", 1) for number in range(count)]


async def test_one_question_over_much_data_leaves_turns_to_others() -> None:
    store = Store()
    fetcher = SegmentFetcher(cast(SegmentCache, store), 3)
    fetches = FairFetches(fetcher)
    heavy = [asyncio.create_task(fetches.fetch(some(f"heavy{n}.", 50), SHOP)) for n in range(4)]
    await eventually(lambda: store.began)
    async with asyncio.timeout(PATIENCE_S):
        found = await fetches.fetch(some("bank", 20), BANK)
        assert found == {f"bank{n}": Path(f"bank{n}") for n in range(20)}
        assert len(await fetches.fetch(some("mate", 20), MATE)) == 20
    assert sum(name.startswith("heavy") for name in store.began) == 1
    assert fetches.slots.waiting == 4 * 3 - 1  # each question waits for a few of its segments
    store.release.set()
    assert [len(one) for one in await asyncio.gather(*heavy)] == [50] * 4
    fetcher.close()


async def test_what_nobody_waits_for_any_more_is_not_fetched() -> None:
    store = Store()
    fetcher = SegmentFetcher(cast(SegmentCache, store), 1)
    fetches = FairFetches(fetcher)
    asking = asyncio.create_task(fetches.fetch(some("heavy", 50), SHOP))
    await eventually(lambda: store.began)
    asking.cancel()
    await asyncio.wait({asking})
    assert (fetches.slots.running, fetches.slots.waiting) == (1, 0)  # it keeps its turn to its end
    store.release.set()
    assert len(await fetches.fetch(some("bank", 2), BANK)) == 2
    assert store.began == ["heavy0", "bank0", "bank1"]
    assert fetches.slots.running == 0
    fetcher.close()
