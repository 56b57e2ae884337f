"""The indexers that hold a partition: whether they are well, and what content they have."""

import asyncio
from typing import Any

import aiohttp
import msgspec

from common import limits
from common.error_text import describe_error
from common.errors import Conflict, Unavailable
from common.locks import Locks
from common.process.members import Member, list_partition_holders
from common.process.web import INTERNAL_TOKEN_HEADER
from indexer.upkeep.rehearsal.content import PATH, ContentRequest, PartitionContent

_COPIES = 2
_TIMEOUT = aiohttp.ClientTimeout(
    total=limits.REHEARSAL_ASK_S, sock_connect=limits.CONNECT_TIMEOUT_S
)


class NotComparable(Unavailable):
    """An indexer did not give its content."""


class Pairs:
    """Asks the indexers of an installation. Use it as `async with`."""

    def __init__(self, locks: Locks, token: str) -> None:
        self._locks = locks
        self._http = aiohttp.ClientSession(headers={INTERNAL_TOKEN_HEADER: token}, timeout=_TIMEOUT)

    async def __aenter__(self) -> "Pairs":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def healthy(self, partitions: int, number: int) -> list[Member]:
        """The indexers of the partition. Raises Conflict if any partition has no healthy pair.

        A rehearsal takes work from machines that a partition without its pair needs. Raises
        Unavailable if the locks cannot be read.
        """
        holders = await asyncio.to_thread(list_partition_holders, self._locks)
        members = {one.instance: one for some in holders.values() for one in some}
        statuses = dict(
            zip(members, await asyncio.gather(*map(self._status, members.values())), strict=True)
        )
        for partition in range(partitions):
            ready = [one for one in holders.get(partition, []) if one.ready]
            if len({one.zone for one in ready}) < _COPIES:
                raise Conflict(
                    f"partition {partition} has {len(ready)} indexers in different zones that have "
                    f"caught up, not {_COPIES}: a rehearsal has to wait"
                )
            for one in ready:
                reason = _illness(statuses[one.instance], partition)
                if reason:
                    raise Conflict(
                        f"partition {partition} is not healthy at {one.instance}: {reason}; "
                        "a rehearsal has to wait"
                    )
        return holders[number]

    async def _status(self, member: Member) -> dict[str, Any] | str:
        try:
            async with self._http.get(f"{member.url}/internal/status") as answer:
                answer.raise_for_status()
                found: dict[str, Any] = (await answer.json())["partitions"]
                return found
        except (aiohttp.ClientError, TimeoutError, OSError, KeyError, ValueError) as error:
            return f"it does not answer: {describe_error(error)}"

    async def content(self, member: Member, request: ContentRequest) -> PartitionContent:
        """The content that an indexer has. Raises NotComparable."""
        try:
            data = msgspec.json.encode(request)
            async with self._http.post(f"{member.url}{PATH}", data=data) as answer:
                body = await answer.read()
                if answer.status == 404:
                    raise NotComparable(f"{member.instance} runs a version without rehearsals")
                if answer.status != 200:
                    raise NotComparable(f"{member.instance}: {body[:200].decode(errors='replace')}")
            return msgspec.json.decode(body, type=PartitionContent)
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
            raise NotComparable(f"{member.instance}: {describe_error(error)}") from error


def _illness(status: dict[str, Any] | str, partition: int) -> str:
    """Why an indexer is not well with a partition; "" if it is."""
    if isinstance(status, str):
        return status
    found = status.get(str(partition))
    if found is None:
        return "it does not hold it"
    if not found["ready"]:
        return "it is being resumed"
    if found["stopped_reason"]:
        return f"indexing has stopped: {found['stopped_reason']}"
    if found["divergences"]:
        return "its indexers disagree about a cut"
    if found["paused"]:
        return "it has no memory or disk left for more rows"
    return ""
