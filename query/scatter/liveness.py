"""Whether the indexer that computes a share is still alive: bounds the wait for a stopped process.

A heavy share may take long, but its process answers /healthz meanwhile. A process that is stopped,
or on an unreachable machine, does not.
"""

import asyncio

import aiohttp

from common.error_text import describe_error
from common.process.members import Member
from query.config import ProbeTiming


async def wait_until_unresponsive(
    http: aiohttp.ClientSession, member: Member, timing: ProbeTiming, *, suspect: bool
) -> str:
    """Probe the indexer while it answers; return why it counts as dead.

    suspect: it recently failed to answer. It is probed at once, and one failure is enough.
    """
    timeout = aiohttp.ClientTimeout(total=timing.timeout_s)
    enough = 1 if suspect else timing.failures_max
    failures = 0
    if not suspect:
        await asyncio.sleep(timing.every_s)
    while True:
        try:
            async with http.get(f"{member.url}/healthz", timeout=timeout) as response:
                await response.read()
        except aiohttp.ClientConnectorError as error:
            return f"it cannot be reached: {describe_error(error)}"
        except (aiohttp.ClientError, TimeoutError, OSError):
            failures += 1
            if failures >= enough:
                return f"it has not answered {failures} times for {timing.timeout_s} s"
            continue
        failures = 0
        await asyncio.sleep(timing.every_s)
