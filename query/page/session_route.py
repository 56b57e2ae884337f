"""`/ui/session`: log in with a key or with a link that was printed, see who one is, log out."""

from typing import Any

from aiohttp import web

from common import limits
from common.errors import NotAllowed
from common.metadata import ApiKey, KeyKind
from common.process.auth import KeyCache
from common.process.sessions import Sessions, is_own_request
from query.faults import SpecError
from query.http.access import key_of
from query.http.problems import json_object

PATH = "/ui/session"


class SessionRoute:
    """The handlers."""

    def __init__(self, keys: KeyCache, sessions: Sessions) -> None:
        self._keys = keys
        self._sessions = sessions

    def add_to(self, app: web.Application) -> None:
        """Mount the routes, before those of the files."""
        app.router.add_get(PATH, self.show)
        app.router.add_post(PATH, self.log_in)
        app.router.add_delete(PATH, self.log_out)

    async def show(self, request: web.Request) -> web.Response:
        """Whose session it is. Raises UnknownKey."""
        return web.json_response(_described(await key_of(self._keys, request)), headers=_NOT_KEPT)

    async def log_in(self, request: web.Request) -> web.Response:
        """Begin a session with `key`, or with the `code` of a link.

        Raises UnknownKey, NotAllowed, SpecError.
        """
        _check_own(request)
        body = await json_object(request)
        key = await self._given(body)
        if key.kind is KeyKind.INGEST:
            raise NotAllowed("an ingest key can only send events: log in with another one")
        cookie = await self._sessions.seal(key.hash)
        response = web.json_response(_described(key), headers=_NOT_KEPT)
        response.set_cookie(
            await self._sessions.cookie_name(),
            cookie,
            max_age=limits.SESSION_S,
            path="/",
            secure=_is_https(request),
            httponly=True,
            samesite="Strict",
        )
        return response

    async def log_out(self, request: web.Request) -> web.Response:
        """End the session in this browser. Raises NotAllowed, MetadataUnavailable."""
        _check_own(request)
        response = web.Response(status=204, headers=_NOT_KEPT)
        response.del_cookie(
            await self._sessions.cookie_name(),
            path="/",
            secure=_is_https(request),
            httponly=True,
            samesite="Strict",
        )
        return response

    async def _given(self, body: dict[str, Any]) -> ApiKey:
        text, code = body.get("key"), body.get("code")
        if isinstance(text, str) and code is None:
            return await self._keys.authenticate(text.strip())
        if not isinstance(code, str) or text is not None or len(code) > limits.KEY_CHARS_MAX:
            raise SpecError("key", "missing", "give a key, or the code of a link, as a string")
        return await self._keys.authenticate_hash(await self._sessions.redeem(code))


_NOT_KEPT = {"Cache-Control": "no-store"}


def _check_own(request: web.Request) -> None:
    """Raises NotAllowed for what another site made the browser send."""
    if not is_own_request(request.headers):
        raise NotAllowed("only the page itself may do this")


def _is_https(request: web.Request) -> bool:
    return (request.headers.get("X-Forwarded-Proto") or request.scheme) == "https"


def _described(key: ApiKey) -> dict[str, object]:
    """Who the key is for, without anything that could be used as it."""
    access = key.access
    return {
        "name": key.name,
        "team": {"name": key.team.name, "slug": key.team.slug},
        "environment": {"name": key.environment.name, "slug": key.environment.slug},
        "rights": {
            name: getattr(access, name)
            for name in (
                "events",
                "queries",
                "columns",
                "markers",
                "create_datasets",
                "admin",
                "operate",
            )
        },
    }
