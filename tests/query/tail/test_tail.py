"""A tail follows one indexer of every partition."""

import asyncio
from pathlib import Path

from tests.query.harness import query_harness


async def test_tail_follows_each_partition_once_and_ends_when_it_moves(tmp_path: Path) -> None:
    async with query_harness(tmp_path, ("a", "b")) as running:
        one, other = running.indexers["a"], running.indexers["b"]
        await asyncio.to_thread(one.claims[1].release)
        headers = {"X-Honeycomb-Team": "K"}
        async with running.http.get(f"{running.url}/bw/1/tail/shop", headers=headers) as answer:
            assert await answer.content.readline() == b"{}\n"
            await asyncio.to_thread(one.claims[0].release)
            assert await answer.content.read() == b""  # the copy of the batch is not shown
        assert (one.followed, other.followed) == ("0", "1")
