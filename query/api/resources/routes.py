"""The routes of every kind of resource: create, list, show, change, delete.

Each request is one call of metadata in a thread, in its key's turn; while metadata fails it is 503.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Generic

import msgspec
from aiohttp import web

from common.clock import Clock
from common.errors import Conflict, NotFound
from common.metadata import ApiKey, Metadata
from common.metadata.resources import R
from common.process.auth import KeyCache
from query.api.resources.kind import Draft, ResourceKind
from query.api.resources.members import Value, read_change, read_new
from query.api.resources.scope import Scope, scope_of
from query.faults import BadReference, SpecError
from query.http.access import authorize, authorize_any
from query.http.dataset_names import DatasetNames
from query.http.problems import json_object


class ResourceRoutes(Generic[R]):
    """Handlers of one kind.

    random: draws bytes for new ids.
    """

    def __init__(
        self,
        kind: ResourceKind[R],
        keys: KeyCache,
        names: DatasetNames,
        clock: Clock,
        random: Callable[[int], bytes],
    ) -> None:
        self._kind = kind
        self._keys = keys
        self._names = names
        self._clock = clock
        self._random = random

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        all_of_it, one = (
            f"/1/{self._kind.path}/{{dataset}}",
            f"/1/{self._kind.path}/{{dataset}}/{{id}}",
        )
        app.router.add_get(all_of_it, self.list_rows)
        app.router.add_post(all_of_it, self.create)
        app.router.add_get(one, self.show)
        app.router.add_put(one, self.change)
        app.router.add_delete(one, self.delete)

    async def list_rows(self, request: web.Request) -> web.Response:
        """All of a dataset or environment, oldest first; or one object by its unique member."""
        key, scope = await self._reader(request)
        wanted = request.query.get(self._kind.found_by) if self._kind.found_by else None
        return _json(await self._names.ask(key, lambda store: self._list(store, scope, wanted)))

    async def show(self, request: web.Request) -> web.Response:
        """The one of an id."""
        key, scope = await self._reader(request)
        row_id = request.match_info["id"]
        return _json(
            await self._names.ask(
                key, lambda store: self._shown(store, scope, [self._find(store, scope, row_id)])[0]
            )
        )

    async def create(self, request: web.Request) -> web.Response:
        """A new one (201). Raises Conflict where another one has its unique member."""
        key = await authorize(self._keys, request, self._kind.right)
        scope = await scope_of(self._names, key, request)
        values = read_new(await json_object(request), self._kind.members, self._kind.read_only)
        made = await self._names.ask(key, lambda store: self._create(store, scope, values))
        return _json(self._kind.show(made), 201)

    async def change(self, request: web.Request) -> web.Response:
        """Replace all members; those that are left out become empty."""
        key = await authorize(self._keys, request, self._kind.right)
        scope = await scope_of(self._names, key, request)
        row_id, body = request.match_info["id"], await json_object(request)
        if body.get("id") not in (None, "", row_id):
            raise BadReference(
                "id", f"{self._kind.noun.capitalize()} id included in body does not match URL"
            )
        made = await self._names.ask(key, lambda store: self._change(store, scope, row_id, body))
        return _json(self._kind.show(made))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete one: 200 with what it was, or 204."""
        key = await authorize(self._keys, request, self._kind.right)
        scope = await scope_of(self._names, key, request)
        row_id = request.match_info["id"]
        gone = await self._names.ask(key, lambda store: self._delete(store, scope, row_id))
        return (
            _json(self._kind.show(gone)) if self._kind.shows_deleted else web.Response(status=204)
        )

    async def _reader(self, request: web.Request) -> tuple[ApiKey, Scope]:
        key = await authorize_any(self._keys, request, (self._kind.right, "queries"))
        return key, await scope_of(self._names, key, request)

    def _list(self, store: Metadata, scope: Scope, wanted: str | None) -> Any:
        kind = self._kind
        if wanted is not None:
            [row_id] = kind.new_ids(scope, {kind.unique: wanted}, self._random)
            return self._shown(store, scope, [self._find(store, scope, row_id)])[0]
        return self._shown(
            store, scope, store.list_resources(kind.row, scope.env_id, scope.dataset_id)
        )

    def _shown(self, store: Metadata, scope: Scope, rows: Sequence[R]) -> list[dict[str, Any]]:
        added = self._kind.decorate(store, scope, rows)
        return [self._kind.show(row) | more for row, more in zip(rows, added, strict=True)]

    def _find(self, store: Metadata, scope: Scope, row_id: str) -> R:
        found = store.get_resource(self._kind.row, scope.env_id, scope.dataset_id, row_id)
        if found is None:
            raise NotFound(f"{self._kind.noun.capitalize()} not found")
        return found

    def _create(self, store: Metadata, scope: Scope, values: dict[str, Value]) -> R:
        kind, now_ns = self._kind, self._clock.now_ns()
        *others, last = kind.new_ids(scope, values, self._random)
        made = kind.complete(Draft(kind.make(scope, values, last, now_ns, now_ns)))
        kind.check(store, Draft(made))
        for row_id in others:
            try:
                return self._store(store, replace(made, id=row_id))
            except Conflict:  # a drawn id that another one has
                continue
        try:
            return self._store(store, made)
        except Conflict as error:
            raise Conflict(
                f"there is a {kind.noun} of this {kind.unique or 'id'} already"
            ) from error

    def _store(self, store: Metadata, row: R) -> R:
        room = self._kind.room
        if not store.create_resource(row, room):
            whose = "dataset" if row.dataset_id else "environment itself"
            raise SpecError(
                *("", "invalid"),
                f"there is no room for another {self._kind.noun}: delete some first. The {whose} "
                f"may have {room.of_dataset}, the whole environment {room.of_environment}",
            )
        return row

    def _change(self, store: Metadata, scope: Scope, row_id: str, body: dict[str, Any]) -> R:
        kind = self._kind
        before = self._find(store, scope, row_id)
        values = read_change(body, kind.members, kind.values(before), kind.read_only)
        made = kind.make(scope, values, row_id, before.created_ns, self._clock.now_ns())
        made = kind.complete(Draft(made, before))
        kind.check(store, Draft(made, before))
        store.put_resources([made])
        return made

    def _delete(self, store: Metadata, scope: Scope, row_id: str) -> R:
        gone = self._find(store, scope, row_id)
        store.delete_resource(self._kind.row, scope.env_id, scope.dataset_id, row_id)
        return gone


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json"
    )
