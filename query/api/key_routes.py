"""`/bw/1/keys`: the keys of an environment, managed by a key with the right `admin`.

A key lists and creates keys of its own environment only, and never one that may operate the
installation: only an operator can grant that right (`bellwether keys`).
"""

import asyncio
import os

import msgspec
from aiohttp import web

from common import limits
from common.clock import Clock
from common.errors import BadRequest, NotFound
from common.metadata import ApiKey, Metadata
from common.process.auth import KeyCache, make_key, rights_of
from query.http.access import authorize
from query.http.problems import json_body


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of a creation. Limits are numbers of events; 0: none. classic: as in `make_key`."""

    name: str
    ingest: bool = False
    read_only: bool = False
    create_datasets: bool = True
    admin: bool = False
    classic: bool = False
    events_per_s: int = 0
    events_per_day: int = 0


class KeyRoutes:
    """Handlers; all of them need the right `admin`."""

    def __init__(self, keys: KeyCache, metadata: Metadata, clock: Clock) -> None:
        self._keys = keys
        self._metadata = metadata
        self._clock = clock

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_get("/bw/1/keys", self.list_keys)
        app.router.add_post("/bw/1/keys", self.create_key)
        app.router.add_delete("/bw/1/keys/{id}", self.revoke_key)

    async def list_keys(self, request: web.Request) -> web.Response:
        """The keys of the environment, revoked ones included, without their texts."""
        caller = await authorize(self._keys, request, "admin")
        found = await asyncio.to_thread(self._metadata.list_keys, caller.environment.id)
        return web.json_response([_describe(key) for key in found])

    async def create_key(self, request: web.Request) -> web.Response:
        """A new key. Its text is in this answer and stored nowhere."""
        caller = await authorize(self._keys, request, "admin")
        wanted = _read(await json_body(request))
        kind, access = rights_of(
            ingest=wanted.ingest,
            read_only=wanted.read_only,
            create_datasets=wanted.create_datasets,
            admin=wanted.admin,
            operate=False,
        )
        text, key = make_key(
            (caller.team, caller.environment),
            wanted.name,
            kind,
            access,
            self._clock.now_ns(),
            os.urandom,
            events_per_s=wanted.events_per_s,
            events_per_day=wanted.events_per_day,
            classic=wanted.classic,
        )
        await asyncio.to_thread(self._store, key)
        headers = {"Cache-Control": "no-store"}
        return web.json_response({**_describe(key), "key": text}, status=201, headers=headers)

    def _store(self, key: ApiKey) -> None:
        """Store the key. Raises BadRequest if the environment has too many valid keys."""
        known = self._metadata.list_keys(key.environment.id)
        if sum(not one.revoked_ns for one in known) >= limits.KEYS_PER_ENVIRONMENT_MAX:
            raise BadRequest(
                f"this environment has {limits.KEYS_PER_ENVIRONMENT_MAX} keys: revoke some first"
            )
        self._metadata.create_key(key)

    async def revoke_key(self, request: web.Request) -> web.Response:
        """Revoke a key of the environment; every role refuses it within a minute."""
        caller = await authorize(self._keys, request, "admin")
        wanted = request.match_info["id"]
        found = await asyncio.to_thread(self._metadata.list_keys, caller.environment.id)
        key = next((one for one in found if one.id == wanted), None)
        if key is None:
            raise NotFound("there is no such key in this environment")
        if key.access.operate:
            raise BadRequest("a key that may operate the installation is an operator's to revoke")
        await asyncio.to_thread(self._metadata.revoke_key, wanted, self._clock.now_ns())
        return web.Response(status=204)


def _read(body: object) -> NewKey:
    """Read the body of a creation. Raises BadRequest."""
    try:
        wanted = msgspec.convert(body, NewKey)
    except msgspec.ValidationError as error:
        raise BadRequest(f"not a wish for a key: {error}") from error
    if not 0 < len(wanted.name) <= limits.DATASET_NAME_CHARS_MAX:
        raise BadRequest(f"`name` must have 1 to {limits.DATASET_NAME_CHARS_MAX} characters")
    amounts = (wanted.events_per_s, wanted.events_per_day)
    if not all(0 <= amount <= limits.KEY_EVENTS_MAX for amount in amounts):
        raise BadRequest(f"limits of events must be between 0 and {limits.KEY_EVENTS_MAX}")
    return wanted


def _describe(key: ApiKey) -> dict[str, object]:
    """A key as JSON, without its text and hash."""
    access = key.access
    return {
        "id": key.id,
        "name": key.name,
        "kind": key.kind.value,
        "rights": {
            "events": access.events,
            "queries": access.queries,
            "columns": access.columns,
            "create_datasets": access.create_datasets,
            "admin": access.admin,
            "operate": access.operate,
        },
        "events_per_s": key.events_per_s,
        "events_per_day": key.events_per_day,
        "created_ns": key.created_ns,
        "revoked_ns": key.revoked_ns,
    }
