"""The dataset that a request names in its path: found in metadata, or 404 as the vendor says it.

Names and rules are those of `common.metadata.lookup`. Metadata is asked in fair turns (I14), so
one key's requests never take the threads of all others.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from aiohttp import web

from common import limits
from common.clock import Clock
from common.errors import MetadataUnavailable, NotFound
from common.logs import log_event
from common.metadata import ApiKey, Dataset, Metadata
from common.metadata.lookup import find_dataset
from common.model.names import BadDatasetName, dataset_id, dataset_slug
from common.process.fair.queue import FairLimits
from common.process.fair.slots import FairSlots
from query.http.access import name_of
from query.suggest import dataset_hint

T = TypeVar("T")
_logger = logging.getLogger(__name__)


class DatasetNotFound(NotFound):
    """No dataset of the key's environment has this name. detail: what to do."""

    def __init__(self, detail: str) -> None:
        super().__init__("Dataset not found")
        self.detail = detail


class DatasetNames:
    """Looks datasets up. Use it from one event loop."""

    def __init__(
        self,
        metadata: Metadata,
        clock: Clock,
        calls_max: int = limits.QUERY_METADATA_CALLS_MAX,
    ) -> None:
        self._metadata = metadata
        self._clock = clock
        self._retry_ns = 0
        self._second: OrderedDict[tuple[str, str], str] = OrderedDict()  # ids by env and name
        calls = FairLimits(calls_max, limits.PROXIED_BODIES_MAX, 1)
        self._calls = FairSlots(calls, "requests")

    @property
    def metadata_is_away(self) -> bool:
        """Whether it did not answer a moment ago: what can do without it does not ask now."""
        return self._clock.monotonic_ns() < self._retry_ns

    async def ask(self, key: ApiKey, question: Callable[[Metadata], T]) -> T:
        """What metadata answers. Raises TooManyRequests, MetadataUnavailable."""
        async with self._calls.hold(key.environment.id, key.id):
            return await asyncio.to_thread(question, self._metadata)

    async def find(self, key: ApiKey, request: web.Request) -> Dataset:
        """The dataset in the path.

        Raises DatasetNotFound, AmbiguousDataset, SpecError, TooManyRequests, MetadataUnavailable.
        """
        try:
            return await self._named(key, name_of(request))
        except BadDatasetName as error:
            raise DatasetNotFound(str(error)) from error

    async def id_of(self, key: ApiKey, request: web.Request) -> str:
        """The id of the dataset in the path. Raises as `find` but for metadata: see `id_named`."""
        try:
            return await self.id_named(key, name_of(request))
        except BadDatasetName as error:
            raise DatasetNotFound(str(error)) from error

    async def id_named(self, key: ApiKey, name: str) -> str:
        """The id of the dataset of this name. What is stored can be read while metadata is away
        (I8): then a name is taken to be a dataset's own, unless it was seen to be a second one.

        Raises DatasetNotFound, AmbiguousDataset, BadDatasetName, TooManyRequests.
        """
        own = dataset_id(key.team.id, key.environment.id, dataset_slug(name))
        second = (key.environment.id, name)
        if not self.metadata_is_away:
            try:
                found = await self._named(key, name)
            except MetadataUnavailable as error:
                self._retry_ns = self._clock.monotonic_ns() + limits.METADATA_RETRY_S * 10**9
                log_event(_logger, logging.WARNING, "datasets cannot be looked up", why=str(error))
            else:
                if found.id == own:
                    self._second.pop(second, None)
                else:
                    self._remember(second, found.id)
                return found.id
        return self._second.get(second, own)

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

    def _remember(self, second: tuple[str, str], dataset: str) -> None:
        self._second[second] = dataset
        self._second.move_to_end(second)
        if len(self._second) > limits.DATASET_CACHE_ENTRIES_MAX:
            self._second.popitem(last=False)
