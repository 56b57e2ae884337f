"""Draining: a role that stops withdraws first, then finishes what is in flight.

From the stop on it is not ready, and every response closes its connection, so that clients and
load balancers move to other processes while it still answers. It waits for that only if there are
other processes of the role.
"""

import asyncio

from aiohttp import web

from common.errors import Unavailable
from common.locks import Locks
from common.process.members import Member, list_members

STOPPING = "it is stopping"


def close_connections(app: web.Application, stop: asyncio.Event) -> None:
    """Let every response of the application close its connection once `stop` is set."""

    async def close(_: web.Request, response: web.StreamResponse) -> None:
        if stop.is_set():
            response.force_close()
            response.headers["Connection"] = "close"

    app.on_response_prepare.append(close)


def add_stop_route(app: web.Application, stop: asyncio.Event) -> None:
    """Serve POST /internal/stop: the role stops as on SIGTERM; its supervisor starts it again."""

    async def handle(_: web.Request) -> web.Response:
        stop.set()
        return web.json_response({"status": "stopping"}, status=202)

    app.router.add_post("/internal/stop", handle)


async def wait_for_drain(locks: Locks, member: Member, drain_ms: int) -> None:
    """Wait for the drain time if another process of the role runs, or if that is unknown."""
    if not drain_ms:
        return
    try:
        others = await asyncio.to_thread(list_members, locks, member.role)
    except Unavailable:
        await asyncio.sleep(drain_ms / 1000)
        return
    if any(other.instance != member.instance for other in others):
        await asyncio.sleep(drain_ms / 1000)
