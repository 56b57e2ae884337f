"""Paths without a route, and methods that a path does not have: refused after the key is checked.

A caller without a valid key gets 401, which does not reveal the routes.
"""

from aiohttp import web

from common.errors import NotFound
from common.process.auth import KeyCache
from query.http.access import key_of


class UnknownRoutes:
    """The handler of every other path. Any valid key will do: 401 without one, else 404 or 405."""

    def __init__(self, keys: KeyCache) -> None:
        self._keys = keys

    def add_to(self, app: web.Application) -> None:
        """Mount the route, after all others."""
        app.router.add_route("*", "/{tail:.*}", self.refuse)

    async def refuse(self, request: web.Request) -> web.Response:
        """405 with the methods that the path has. Raises NotFound, UnknownKey."""
        await key_of(self._keys, request)
        allowed: set[str] = set()
        for resource in request.app.router.resources():
            _, methods = await resource.resolve(request)
            allowed |= methods
        allowed.discard("*")
        if not allowed:
            raise NotFound("unknown API route")
        names = ", ".join(sorted(allowed))
        error = {"error": f"method not allowed; use {names}"}
        return web.json_response(error, status=405, headers={"Allow": names})
