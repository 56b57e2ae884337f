"""`/1/datasets`: list, show, create, change and delete the datasets of the key's environment."""

import asyncio
from dataclasses import replace
from typing import Any

from aiohttp import web

from common import limits
from common.clock import Clock
from common.errors import Conflict, NotFound, TooManyDatasets, Unavailable
from common.log import Log
from common.log.watch import LogWatch
from common.metadata import ApiKey, Dataset, Metadata
from common.metadata.deletion import mark_deleted
from common.metadata.lookup import find_dataset, shown_slugs
from common.model.names import dataset_id
from common.model.record import gone_record
from common.model.times.written import rfc3339_s
from common.process.auth import KeyCache
from query.api.resources.datasets.bodies import read_change, read_new
from query.http.access import authorize, requester_of
from query.http.dataset_names import DatasetNames
from query.http.pages import next_headers, read_page_request
from query.http.problems import json_object
from query.scatter.indexer_client import IndexerClient
from query.wire.columns import DatasetsRequest, IndexedDataset

_PROTECTED = (
    "the dataset is protected from deletion: set `settings.delete_protected` to false first, with "
    "PUT /1/datasets/{slug} (or `bellwether datasets unprotect`)"
)


class DatasetRoutes:
    """Handlers. Reads need any configuration key, changes one that may create datasets."""

    def __init__(
        self,
        keys: KeyCache,
        names: DatasetNames,
        metadata: Metadata,
        log: Log,
        watch: LogWatch,
        indexers: IndexerClient,
        clock: Clock,
        datasets_max: int,
    ) -> None:
        self._datasets_max = datasets_max
        self._creating = asyncio.Lock()  # no dataset is created between counting and creating
        self._keys = keys
        self._names = names
        self._metadata = metadata
        self._log = log
        self._watch = watch
        self._indexers = indexers
        self._clock = clock

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_get("/1/datasets", self.list_datasets)
        app.router.add_post("/1/datasets", self.create)
        app.router.add_get("/1/datasets/{dataset}", self.show)
        app.router.add_put("/1/datasets/{dataset}", self.change)
        app.router.add_delete("/1/datasets/{dataset}", self.delete)

    async def list_datasets(self, request: web.Request) -> web.Response:
        """A page of the datasets of the environment, by slug."""
        key = await authorize(self._keys, request, None)
        page = read_page_request(request, limits.DATASETS_PAGE_MAX)
        after = None if page.after is None else page.after.name
        found = await asyncio.to_thread(
            self._metadata.list_datasets, key.environment.id, after, page.size + 1
        )
        headers: dict[str, str] = {}
        if len(found) > page.size:
            found.pop()
            headers = next_headers(request, page.size, found[-1].slug)
        return web.json_response(await self._describe_all(key, found), headers=headers)

    async def show(self, request: web.Request) -> web.Response:
        """One dataset."""
        key = await authorize(self._keys, request, None)
        return web.json_response(
            await self._describe(key, await self._names.find(key, request), thorough=True)
        )

    async def create(self, request: web.Request) -> web.Response:
        """Create a dataset (201), or return the one of that name or slug (200)."""
        key = await authorize(self._keys, request, "create_datasets")
        body = read_new(await json_object(request))
        wanted = Dataset(
            id=dataset_id(key.team.id, key.environment.id, body.slug),
            env_id=key.environment.id,
            slug=body.slug,
            name=body.name,
            description=body.description,
            expand_json_depth=body.expand_json_depth,
            retention_days=body.retention_days,
            created_ns=self._clock.now_ns(),
            delete_protected=True,
        )
        async with self._creating:
            existed, stored = await asyncio.to_thread(self._ensure, key, wanted)
        self._names.changed()
        return web.json_response(await self._describe(key, stored), status=200 if existed else 201)

    def _ensure(self, key: ApiKey, wanted: Dataset) -> tuple[bool, Dataset]:
        """(whether it existed, the stored dataset). Raises TooManyDatasets, AmbiguousDataset."""
        existing = find_dataset(self._metadata, key.team, key.environment, wanted.slug)
        if existing is not None:
            return True, existing
        if self._metadata.count_datasets(wanted.env_id) >= self._datasets_max:
            raise TooManyDatasets(self._datasets_max)
        return False, self._metadata.ensure_dataset(wanted)

    async def change(self, request: web.Request) -> web.Response:
        """Change description, depth, retention and protection (see `DatasetChange`)."""
        key = await authorize(self._keys, request, "create_datasets")
        dataset = await self._names.find(key, request)
        body = read_change(await json_object(request), dataset.slug)
        retention_days, protected = body.retention_days, body.delete_protected
        changed = replace(
            dataset,
            description=body.description,
            expand_json_depth=body.expand_json_depth,
            retention_days=dataset.retention_days if retention_days is None else retention_days,
            delete_protected=dataset.delete_protected if protected is None else protected,
        )
        if not await asyncio.to_thread(self._metadata.update_dataset, changed):
            raise NotFound("Dataset not found")
        return web.json_response(await self._describe(key, changed))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a dataset: a tombstone record in every partition hides earlier rows.

        Raises Conflict while the dataset is protected, Unavailable where the log fails.
        """
        key = await authorize(self._keys, request, "create_datasets")
        dataset = await self._names.find(key, request)
        if dataset.delete_protected:
            raise Conflict(_PROTECTED)
        record = gone_record(key.team.id, key.environment.id, dataset.id)
        identity = await self._watch.refresh(at_once=True)
        appended = await asyncio.gather(
            *(self._log.append(p, record) for p in range(identity.partitions)),
            return_exceptions=True,
        )
        failed = [result for result in appended if isinstance(result, BaseException)]
        if failed:
            raise Unavailable("the log could not take the deletion everywhere: delete again")
        await asyncio.to_thread(mark_deleted, self._metadata, dataset, self._clock.now_ns())
        self._names.changed()
        return web.json_response({}, status=202)

    async def _describe(
        self, key: ApiKey, dataset: Dataset, *, thorough: bool = False
    ) -> dict[str, Any]:
        [described] = await self._describe_all(key, [dataset], thorough=thorough)
        return described

    async def _describe_all(
        self, key: ApiKey, datasets: list[Dataset], *, thorough: bool = False
    ) -> list[dict[str, Any]]:
        """The datasets in the vendor's shape. One call of each indexer for all datasets."""
        if not datasets:
            return []
        wanted = DatasetsRequest([dataset.id for dataset in datasets], thorough)
        indexed = await self._indexers.datasets(wanted, requester_of(key))  # empty without any
        slugs = await self._names.ask(key, lambda metadata: shown_slugs(metadata, datasets))
        nothing = IndexedDataset(0, None)
        return [_shown(one, slugs[one.id], indexed.get(one.id, nothing)) for one in datasets]


def _shown(dataset: Dataset, slug: str, indexed: IndexedDataset) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "slug": slug,
        "description": dataset.description,
        "expand_json_depth": dataset.expand_json_depth,
        "retention_days": dataset.retention_days or None,
        "settings": {"delete_protected": dataset.delete_protected},
        "regular_columns_count": len(indexed.names or ()) or None,
        "last_written_at": rfc3339_s(indexed.last_ns) if indexed.last_ns else None,
        "created_at": rfc3339_s(dataset.created_ns),
    }
