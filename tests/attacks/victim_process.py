"""The victim, a process of its own so that an attacker's work in the test cannot slow it down.

    python -m tests.attacks.victim_process URL DATASET SECONDS     (the key comes in VICTIM_KEY)

It keeps one connection open, sends one event, then a batch of ten, then asks a COUNT, again and
again at a steady pace, and prints what became of each request as JSON: kind, status, seconds. A
request without an answer has status 0 and a word that says why.
"""

import asyncio
import json
import os
import sys
import time
from typing import Any

import aiohttp

PACE_S = 0.05  # between two requests: some twenty a second, as an ordinary service sends
TIMEOUT_S = 30.0


async def _request(
    http: aiohttp.ClientSession, kind: str, url: str, body: object
) -> tuple[str, int, float, str]:
    """One request: kind, status (0: no answer), seconds, and what went wrong."""
    began = time.monotonic()
    try:
        async with http.post(url, json=body) as answer:
            raw = await answer.read()  # a single event is answered without a body
            document = json.loads(raw) if raw else {}
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return kind, 0, time.monotonic() - began, type(error).__name__
    return kind, status, time.monotonic() - began, _refusal(kind, status, document)


def _refusal(kind: str, status: int, document: Any) -> str:
    """What an answer with a success status still says against us, or the error's text."""
    if status >= 400:
        return str(document)[:200]
    if kind == "batch" and any(item.get("status") != 202 for item in document):
        return "not all events were accepted"
    if kind == "query" and not document.get("complete"):
        return "no result within the wait"
    return ""


async def run(url: str, dataset: str, seconds: float) -> list[tuple[str, int, float, str]]:
    """Everything that was asked for within so many seconds."""
    event = {"service": "victim", "duration_ms": 12.5}
    query = {"query": {"calculations": [{"op": "COUNT"}]}, "wait_s": 20}
    turns: tuple[tuple[str, str, object], ...] = (
        ("event", f"{url}/1/events/{dataset}", event),
        ("batch", f"{url}/1/batch/{dataset}", [{"data": event}] * 10),
        ("query", f"{url}/1/query_results/{dataset}", query),
    )
    headers = {"X-Honeycomb-Team": os.environ["VICTIM_KEY"]}
    found: list[tuple[str, int, float, str]] = []
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as http:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for kind, target, body in turns:
                found.append(await _request(http, kind, target, body))
                await asyncio.sleep(PACE_S)
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(sys.argv[1], sys.argv[2], float(sys.argv[3])))))
