"""The running processes for a rolling restart: members, readiness, metrics; stopping one."""

import asyncio
import shlex
from urllib.parse import urlsplit

import aiohttp

from common.error_text import describe_error
from common.locks import Locks
from common.process.members import Member, list_members, list_partition_holders
from common.process.web import INTERNAL_TOKEN_HEADER
from ops.rolling.health import ProcessMetrics, parse_metrics
from ops.rolling.plan import ROLES, FleetView

_TIMEOUT = aiohttp.ClientTimeout(total=5.0, sock_connect=2.0)


class StopFailed(Exception):
    """A process could not be stopped. The message states the cause."""


class Fleet:
    """Reads the members from the locks, and the state of each from its HTTP endpoints.

    command: restarts a process, instead of a request to stop. Its words may contain {role}, {zone},
    {slot}, {instance}, {pid} and {host}.
    """

    def __init__(
        self, locks: Locks, http: aiohttp.ClientSession, token: str, command: str = ""
    ) -> None:
        self._locks = locks
        self._http = http
        self._headers = {INTERNAL_TOKEN_HEADER: token}
        self._command = shlex.split(command)

    async def read_view(self) -> FleetView:
        """The processes that run now. Raises Unavailable if the locks do not answer."""
        found = [await asyncio.to_thread(list_members, self._locks, role) for role in ROLES]
        members = tuple(member for some in found for member in some)
        holders = await asyncio.to_thread(list_partition_holders, self._locks)
        reasons = await asyncio.gather(*(self._not_ready(member) for member in members))
        not_ready = {m.instance: r for m, r in zip(members, reasons, strict=True) if r}
        return FleetView(members, not_ready, holders)

    async def read_metrics(self, view: FleetView) -> dict[str, ProcessMetrics]:
        """The metrics of every process that answers, by instance."""
        found = await asyncio.gather(*(self._scrape(member) for member in view.members))
        pairs = zip(view.members, found, strict=True)
        return {member.instance: metrics for member, metrics in pairs if metrics is not None}

    async def stop(self, member: Member) -> None:
        """Stop the process, so that its supervisor starts it again. Raises StopFailed."""
        if self._command:
            await self._run(member)
            return
        url = f"{member.url}/internal/stop"
        try:
            async with self._http.post(url, headers=self._headers, timeout=_TIMEOUT) as answer:
                if answer.status != 202:
                    raise StopFailed(f"{member.instance} answered {answer.status} to its stop")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StopFailed(
                f"{member.instance} cannot be told to stop: {describe_error(error)}"
            ) from error

    async def _run(self, member: Member) -> None:
        names = {
            "role": member.role,
            "zone": member.zone,
            "slot": member.slot,
            "instance": member.instance,
            "pid": str(member.pid),
            "host": urlsplit(member.url).hostname or "",
        }
        try:
            words = [word.format(**names) for word in self._command]
            process = await asyncio.create_subprocess_exec(*words)
        except (OSError, KeyError, IndexError, ValueError) as error:
            raise StopFailed(f"the command cannot be run: {describe_error(error)}") from error
        if code := await process.wait():
            raise StopFailed(f"the command for {member.instance} ended with code {code}")

    async def _not_ready(self, member: Member) -> str:
        try:
            async with self._http.get(f"{member.url}/readyz", timeout=_TIMEOUT) as answer:
                if answer.status == 200:
                    return ""
                document = await answer.json(content_type=None)
                return str(document["reason"])
        except (aiohttp.ClientError, TimeoutError) as error:
            return f"it does not answer ({type(error).__name__})"
        except (ValueError, KeyError, TypeError):
            return f"it answers {answer.status}"

    async def _scrape(self, member: Member) -> ProcessMetrics | None:
        try:
            async with self._http.get(f"{member.url}/metrics", timeout=_TIMEOUT) as answer:
                return parse_metrics(await answer.text())
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None  # a process that does not answer is not ready: `read_view` reports it
