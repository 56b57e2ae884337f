"""Reads back, through the query API, how often each numbered event is stored."""

from collections import Counter

import aiohttp

from tests.system.load import Target

PAGE = 5_000  # groups asked for at once; below the API's limit for answers without series
WAIT_S = 30
ALL_TIME = {"start_time": 1, "end_time": 9_000_000_000}


async def count_stored(target: Target, highest: int, after: str = "") -> Counter[int]:
    """COUNT of events for each `seq` from 1 to `highest`; every answer must be complete.

    after: receipts that the answers must cover.
    """
    stored: Counter[int] = Counter()
    headers = {"X-Honeycomb-Team": target.key}
    timeout = aiohttp.ClientTimeout(total=2 * WAIT_S)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        for low in range(1, highest + 1, PAGE):
            query = {
                "calculations": [{"op": "COUNT"}],
                "breakdowns": ["seq"],
                "filters": [
                    {"column": "seq", "op": ">=", "value": low},
                    {"column": "seq", "op": "<", "value": low + PAGE},
                ],
                **ALL_TIME,
            }
            body = {
                "query": query,
                "disable_series": True,
                "limit": 10_000,
                "wait_s": WAIT_S,
                "coverage": "require",
                "after": after,
            }
            url = f"{target.url}/1/query_results/{target.dataset}"
            async with session.post(url, json=body) as answer:
                assert answer.status == 201, await answer.text()
                result = await answer.json()
            assert result["complete"], result
            assert result["coverage"]["complete"], result["coverage"]
            for row in result["data"]["results"]:
                stored[row["data"]["seq"]] += row["data"]["COUNT"]
    return stored
