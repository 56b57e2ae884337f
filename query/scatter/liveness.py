"""Whether an indexer that owes us a share is still there: bounds the wait for a stopped process.

A heavy share may take long, but its process answers /healthz meanwhile; one that is stopped, or
whose machine is gone without a word, does not.
"""

import asyncio

import aiohttp

from common import limits
from common.error_text import describe_error
from common.process.members import Member


async def wait_until_unresponsive(
    http: aiohttp.ClientSession, member: Member, *, suspect: bool
) -> str:
    """Returns why, when the indexer does not answer any more; runs for as long as it does.

    suspect: it did not answer a moment ago: it is asked at once, and one silence is enough.
    """
    timeout = aiohttp.ClientTimeout(total=limits.PULSE_TIMEOUT_S)
    enough = 1 if suspect else limits.PULSE_SILENCES
    silences = 0
    if not suspect:
        await asyncio.sleep(limits.PULSE_S)
    while True:
        try:
            async with http.get(f"{member.url}/healthz", timeout=timeout) as response:
                await response.read()
        except aiohttp.ClientConnectorError as error:
            return f"it cannot be reached: {describe_error(error)}"
        except (aiohttp.ClientError, TimeoutError, OSError):
            silences += 1
            if silences >= enough:
                return f"it has not answered {silences} times for {limits.PULSE_TIMEOUT_S} s"
            continue
        silences = 0
        await asyncio.sleep(limits.PULSE_S)
