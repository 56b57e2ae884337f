"""`/1/datasets`: list, show, create, change and delete the datasets of the key's environment."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from common import limits
from common.auth import KeyCache
from common.clock import Clock
from common.errors import NotFound, TooManyDatasets, Unavailable
from common.log import Log
from common.log.watch import LogWatch
from common.metadata import ApiKey, Dataset, Metadata
from common.names import BadDatasetName, dataset_id, dataset_slug
from common.record import gone_record
from query.access import authorize, dataset_of
from query.columns import DatasetsAsked, DatasetSeen
from query.indexer_calls import IndexerCalls
from query.pages import next_headers, page_asked
from query.problems import json_body
from query.spec_read import SpecError

_DESCRIPTION_CHARS_MAX = 1_024  # the vendor's limit


class DatasetRoutes:
    """Handlers. Reading needs any configuration key, changing one that may create datasets."""

    def __init__(
        self,
        keys: KeyCache,
        metadata: Metadata,
        log: Log,
        watch: LogWatch,
        calls: IndexerCalls,
        clock: Clock,
        datasets_max: int,
    ) -> None:
        self._datasets_max = datasets_max
        self._creating = asyncio.Lock()  # what is counted stays so until it is created
        self._keys = keys
        self._metadata = metadata
        self._log = log
        self._watch = watch
        self._calls = calls
        self._clock = clock

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_get("/1/datasets", self.list_datasets)
        app.router.add_post("/1/datasets", self.create)
        app.router.add_get("/1/datasets/{dataset}", self.show)
        app.router.add_put("/1/datasets/{dataset}", self.change)
        app.router.add_delete("/1/datasets/{dataset}", self.delete)

    async def list_datasets(self, request: web.Request) -> web.Response:
        """A page of the environment's datasets, by slug."""
        key = await authorize(self._keys, request, None)
        asked = page_asked(request, limits.DATASETS_PAGE_MAX)
        after = None if asked.after is None else asked.after.name
        found = await asyncio.to_thread(
            self._metadata.list_datasets, key.environment.id, after, asked.size + 1
        )
        headers: dict[str, str] = {}
        if len(found) > asked.size:
            found.pop()
            headers = next_headers(request, asked.size, found[-1].slug)
        return web.json_response(await self._describe_all(found), headers=headers)

    async def show(self, request: web.Request) -> web.Response:
        """One dataset."""
        key = await authorize(self._keys, request, None)
        return web.json_response(
            await self._describe(await self._find(key, request), thorough=True)
        )

    async def create(self, request: web.Request) -> web.Response:
        """A new dataset (201), or the one of that name or slug (200)."""
        key = await authorize(self._keys, request, "create_datasets")
        body = _object(await json_body(request))
        name = body.get("name")
        if name is None or name == "":
            raise SpecError("name", "missing", "cannot be blank")
        if not isinstance(name, str):
            raise SpecError("name", "incorrect_type", "must be a string")
        try:
            slug = dataset_slug(name)
        except BadDatasetName as error:
            raise SpecError("name", "invalid", str(error)) from error
        wanted = Dataset(
            id=dataset_id(key.team.id, key.environment.id, slug),
            env_id=key.environment.id,
            slug=slug,
            name=name,
            description=_description(body),
            expand_json_depth=_depth(body),
            retention_days=_retention(body, 0),
            created_ns=self._clock.now_ns(),
        )
        async with self._creating:
            existed, stored = await asyncio.to_thread(self._ensure, wanted)
        return web.json_response(await self._describe(stored), status=200 if existed else 201)

    def _ensure(self, wanted: Dataset) -> tuple[bool, Dataset]:
        """Whether it was there, and what is stored. Raises TooManyDatasets."""
        existing = self._metadata.get_dataset(wanted.id)
        if existing is not None:
            return True, existing
        if self._metadata.count_datasets(wanted.env_id) >= self._datasets_max:
            raise TooManyDatasets(self._datasets_max)
        return False, self._metadata.ensure_dataset(wanted)

    async def change(self, request: web.Request) -> web.Response:
        """Description and depth, which go back to their defaults when they are left out, and our
        own `retention_days`, which stays: other clients do not know it.
        """
        key = await authorize(self._keys, request, "create_datasets")
        dataset = await self._find(key, request)
        body = _object(await json_body(request))
        changed = replace(
            dataset,
            description=_description(body),
            expand_json_depth=_depth(body),
            retention_days=_retention(body, dataset.retention_days),
        )
        if not await asyncio.to_thread(self._metadata.update_dataset, changed):
            raise NotFound("Dataset not found")
        return web.json_response(await self._describe(changed))

    async def delete(self, request: web.Request) -> web.Response:
        """Its rows so far are no longer served; a gone record in every partition says so."""
        key = await authorize(self._keys, request, "create_datasets")
        dataset = await self._find(key, request)
        record = gone_record(key.team.id, key.environment.id, dataset.id)
        identity = await self._watch.look(at_once=True)
        appended = await asyncio.gather(
            *(self._log.append(p, record) for p in range(identity.partitions)),
            return_exceptions=True,
        )
        failed = [result for result in appended if isinstance(result, BaseException)]
        if failed:
            raise Unavailable("the log could not take the deletion everywhere: delete again")
        deleted = replace(dataset, deleted_ns=self._clock.now_ns())
        await asyncio.to_thread(self._metadata.update_dataset, deleted)
        return web.json_response({}, status=202)

    async def _find(self, key: ApiKey, request: web.Request) -> Dataset:
        found = await asyncio.to_thread(self._metadata.get_dataset, dataset_of(key, request))
        if found is None:
            raise NotFound("Dataset not found")
        return found

    async def _describe(self, dataset: Dataset, *, thorough: bool = False) -> dict[str, Any]:
        [described] = await self._describe_all([dataset], thorough=thorough)
        return described

    async def _describe_all(
        self, datasets: list[Dataset], *, thorough: bool = False
    ) -> list[dict[str, Any]]:
        """As the vendor shows them. One call of each indexer, however many datasets there are."""
        if not datasets:
            return []
        asked = DatasetsAsked([dataset.id for dataset in datasets], thorough)
        seen = await self._calls.datasets(asked)  # what only indexers know may be missing
        nothing = DatasetSeen(0, None)
        return [_shown(dataset, seen.get(dataset.id, nothing)) for dataset in datasets]


def _shown(dataset: Dataset, seen: DatasetSeen) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "slug": dataset.slug,
        "description": dataset.description,
        "expand_json_depth": dataset.expand_json_depth,
        "retention_days": dataset.retention_days or None,
        "settings": {"delete_protected": False},
        "regular_columns_count": len(seen.names or ()) or None,
        "last_written_at": _iso(seen.last_ns) if seen.last_ns else None,
        "created_at": _iso(dataset.created_ns),
    }


def _object(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise SpecError("", "incorrect_type", "must be an object")
    return body


def _description(body: dict[str, Any]) -> str:
    value = body.get("description") or ""
    if not isinstance(value, str):
        raise SpecError("description", "incorrect_type", "must be a string")
    if len(value) > _DESCRIPTION_CHARS_MAX:
        raise SpecError("description", "invalid", f"is longer than {_DESCRIPTION_CHARS_MAX}")
    return value


def _depth(body: dict[str, Any]) -> int:
    value = body.get("expand_json_depth") or 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise SpecError("expand_json_depth", "incorrect_type", "must be a whole number")
    if not 0 <= value <= limits.EXPAND_DEPTH_MAX:
        most = limits.EXPAND_DEPTH_MAX
        raise SpecError("expand_json_depth", "invalid", f"must be between 0 and {most}")
    return value


def _retention(body: dict[str, Any], unchanged: int) -> int:
    """Days that events are kept; null: as the indexers' setting says."""
    if "retention_days" not in body:
        return unchanged
    value = body["retention_days"] or 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise SpecError("retention_days", "incorrect_type", "must be a whole number of days")
    if not 0 <= value <= limits.RETENTION_DAYS_MAX:
        most = limits.RETENTION_DAYS_MAX
        raise SpecError("retention_days", "invalid", f"must be between 0 and {most}")
    return value


def _iso(ns: int) -> str:
    return datetime.fromtimestamp(ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
