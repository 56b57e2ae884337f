"""Looks up a request's dataset by name in metadata; 404 like the vendor's if it is unknown.

The rules for names are those of `common.metadata.lookup`. Calls of metadata take fair turns (I14),
so the requests of one key never occupy all threads.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from aiohttp import web

from common import limits
from common.clock import Clock
from common.errors import MetadataUnavailable, NotFound
from common.logs import log_event
from common.metadata import ApiKey, Dataset, Metadata
from common.metadata.lookup import find_dataset
from common.model.names import ALL_DATASETS, BadDatasetName, dataset_id, dataset_slug
from common.process.fair.queue import FairLimits
from common.process.fair.requester import Requester
from common.process.fair.slots import FairSlots
from query.http.access import name_of, name_or_all
from query.suggest import dataset_hint

T = TypeVar("T")
V = TypeVar("V")
_logger = logging.getLogger(__name__)


class DatasetNotFound(NotFound):
    """No dataset of the key's environment has this name. detail: what the caller can do."""

    def __init__(self, detail: str) -> None:
        super().__init__("Dataset not found")
        self.detail = detail


class NamedDataset(NamedTuple):
    """A dataset that a name means.

    created_ns: when it was made (unix ns), which tells it from a deleted one of the same name and
        id; 0: not known now, or all datasets.
    """

    id: str
    created_ns: int = 0


class DatasetNames:
    """Looks datasets up by name. Use it from one event loop.

    calls_max: concurrent calls of metadata.
    """

    def __init__(
        self,
        metadata: Metadata,
        clock: Clock,
        calls_max: int = limits.QUERY_METADATA_CALLS_MAX,
    ) -> None:
        self._metadata = metadata
        self._clock = clock
        self._retry_ns = 0
        self._aliases: OrderedDict[tuple[str, str], str] = OrderedDict()  # (env id, name) -> id
        # (env id, name) -> (dataset, until when it is not asked again, in monotonic ns)
        self._fresh: OrderedDict[tuple[str, str], tuple[NamedDataset, int]] = OrderedDict()
        calls = FairLimits(calls_max, limits.PROXIED_BODIES_MAX, 1)
        self._calls = FairSlots(calls, "requests")

    @property
    def metadata_is_away(self) -> bool:
        """Whether metadata failed just now; callers with a fallback then skip the call."""
        return self._clock.monotonic_ns() < self._retry_ns

    async def ask(self, key: ApiKey, call: Callable[[Metadata], T]) -> T:
        """Call metadata in a thread, in turn. Raises TooManyRequests, MetadataUnavailable."""
        return await self.ask_for(Requester(key.environment.id, key.id), call)

    async def ask_for(self, requester: Requester, call: Callable[[Metadata], T]) -> T:
        """As `ask`, where the key itself is not at hand."""
        async with self._calls.hold(requester.env, requester.key):
            return await asyncio.to_thread(call, self._metadata)

    async def find(self, key: ApiKey, request: web.Request) -> Dataset:
        """The dataset in the path.

        Raises DatasetNotFound, AmbiguousDataset, SpecError, TooManyRequests, MetadataUnavailable.
        """
        try:
            return await self._named(key, name_of(request))
        except BadDatasetName as error:
            raise DatasetNotFound(str(error)) from error

    async def stored_or_all(self, key: ApiKey, request: web.Request) -> str:
        """The id of the dataset in the path, as metadata has it, or ALL_DATASETS.

        Raises as `find` does.
        """
        if name_or_all(request) == ALL_DATASETS:
            return ALL_DATASETS
        return (await self.find(key, request)).id

    async def id_of(self, key: ApiKey, request: web.Request) -> str:
        """The id of the dataset in the path. Raises as `known` does, and SpecError."""
        try:
            return await self.id_named(key, name_of(request))
        except BadDatasetName as error:
            raise DatasetNotFound(str(error)) from error

    async def known_or_all(self, key: ApiKey, request: web.Request) -> NamedDataset:
        """The dataset in the path, which may name all of them. Raises as `id_of` does."""
        if name_or_all(request) == ALL_DATASETS:
            return NamedDataset(ALL_DATASETS)
        try:
            return await self.known(key, name_of(request))
        except BadDatasetName as error:
            raise DatasetNotFound(str(error)) from error

    async def id_named(self, key: ApiKey, name: str) -> str:
        """The id of the dataset of this name. Raises as `known` does."""
        return (await self.known(key, name)).id

    async def known(self, key: ApiKey, name: str) -> NamedDataset:
        """The dataset of this name.

        It is that of some seconds ago, at most, unless this role has changed datasets since.
        Stored events stay readable while metadata fails (I8): a name is then assumed to be a
        dataset's primary name, unless it is known to be an alias.

        Raises DatasetNotFound, AmbiguousDataset, BadDatasetName, TooManyRequests.
        """
        primary = dataset_id(key.team.id, key.environment.id, dataset_slug(name))
        alias = (key.environment.id, name)
        known = self._fresh.get(alias)
        if known is not None and self._clock.monotonic_ns() < known[1]:
            return known[0]
        fresh = self._fresh  # another one once datasets have changed
        if not self.metadata_is_away:
            try:
                found = await self._named(key, name)
            except MetadataUnavailable as error:
                self._retry_ns = self._clock.monotonic_ns() + limits.METADATA_RETRY_S * 10**9
                log_event(_logger, logging.WARNING, "datasets cannot be looked up", why=str(error))
            else:
                if found.id == primary:
                    self._aliases.pop(alias, None)
                else:
                    _put(self._aliases, alias, found.id)
                until_ns = self._clock.monotonic_ns() + limits.DATASET_NAME_FRESH_S * 10**9
                made = NamedDataset(found.id, found.created_ns)
                _put(fresh, alias, (made, until_ns))
                return made
        return NamedDataset(self._aliases.get(alias, primary))

    async def _named(self, key: ApiKey, name: str) -> Dataset:
        found = await self.ask(
            key, lambda metadata: find_dataset(metadata, key.team, key.environment, name)
        )
        if found is None:
            raise DatasetNotFound(
                await self.ask(
                    key, lambda metadata: dataset_hint(metadata, key.environment.id, name)
                )
            )
        return found

    def changed(self) -> None:
        """Ask again what every name means: a dataset was made or deleted.

        Answers that metadata gave before, and that are still on their way, are not kept either.
        """
        self._fresh = OrderedDict()


def _put(known: OrderedDict[tuple[str, str], V], name: tuple[str, str], value: V) -> None:
    """Keep a value within the bound; the oldest leave first."""
    known[name] = value
    known.move_to_end(name)
    if len(known) > limits.DATASET_CACHE_ENTRIES_MAX:
        known.popitem(last=False)
