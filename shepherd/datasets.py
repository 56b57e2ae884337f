"""Which dataset a request means, without ever needing metadata to accept data (I8).

Ids are derived, so a new dataset needs no database: it is registered in the background and
retried until metadata has it. Depth settings are cached in memory and on disk. What was used
from the cache is confirmed later, so a dataset that was deleted meanwhile is registered again.
"""

import asyncio
import logging
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from common import limits
from common.clock import Clock
from common.disk_copy import DiskCopy
from common.errors import BadRequest, MetadataUnavailable, NotFound
from common.logs import say
from common.metadata import ApiKey, Dataset, Metadata
from common.names import BadDatasetName, dataset_id, dataset_slug
from shepherd.batcher import Target

_THREADS = 2
_REGISTER_AT_ONCE = 100
_SECOND_NS = 10**9
_logger = logging.getLogger(__name__)


class _Known(msgspec.Struct, frozen=True):
    """What was last known of a dataset: its depth, and when metadata said so (unix ns)."""

    id: str
    depth: int
    verified_ns: int


class _Use(msgspec.Struct, frozen=True):
    """The last use of a dataset. Made for every request, so it is no more than what came."""

    key: ApiKey
    slug: str
    name: str
    used_ns: int

    def dataset(self, identity: str) -> Dataset:
        """The dataset as it is registered if it is not there any more."""
        env_id, name = self.key.environment.id, self.name.strip()
        return Dataset(
            id=identity, env_id=env_id, slug=self.slug, name=name, created_ns=self.used_ns
        )


class DatasetCache:
    """Resolves names to targets and registers new datasets. Use it from one event loop."""

    def __init__(self, metadata: Metadata, clock: Clock, disk: Path) -> None:
        self._metadata = metadata
        self._clock = clock
        self._copy = DiskCopy(disk, self._encode)
        self._pending: dict[str, Dataset] = {}
        self._to_confirm: dict[str, _Use] = {}
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._asking: dict[tuple[str, bool], asyncio.Task[Dataset | None]] = {}
        self._retry_ns = 0
        self._failing = False  # the last question got no answer
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="datasets")
        self._load()

    async def resolve(self, key: ApiKey, name: str) -> Target:
        """The dataset of this (URL-decoded) name in the key's environment.

        Raises BadRequest for a name that cannot be used, NotFound if it does not exist and the
        key may not create it, MetadataUnavailable if only metadata could tell the latter.
        """
        try:
            slug = dataset_slug(name)
        except BadDatasetName as error:
            raise BadRequest(str(error)) from error
        identity = dataset_id(key.team.id, key.environment.id, slug)
        known = self._known.get(identity)
        if known is not None:
            self._known.move_to_end(identity)
        if known is None or not self._fresh(known, limits.DATASET_FRESH_S):
            known = await self._refresh(key, identity, slug, name, known)
        elif key.access.create_datasets:
            self._to_confirm[identity] = _Use(key, slug, name, self._clock.now_ns())
        return Target(key.team.id, key.environment.id, identity, known.depth)

    def _fresh(self, known: _Known, seconds: int) -> bool:
        return 0 <= self._clock.now_ns() - known.verified_ns < seconds * _SECOND_NS

    def _wanted(self, key: ApiKey, identity: str, slug: str, name: str) -> Dataset:
        return _Use(key, slug, name, self._clock.now_ns()).dataset(identity)

    async def _refresh(
        self, key: ApiKey, identity: str, slug: str, name: str, known: _Known | None
    ) -> _Known:
        fallback = known or _Known(identity, 0, 0)
        create = key.access.create_datasets
        wanted = self._wanted(key, identity, slug, name)
        if self._clock.monotonic_ns() < self._retry_ns and (known is not None or create):
            if known is None and len(self._pending) < limits.DATASET_CACHE_ENTRIES_MAX:
                self._pending.setdefault(identity, wanted)
            return self._remember(fallback)
        task = self._ask(wanted, create=create)
        if known is not None and (self._failing or self._fresh(known, 2 * limits.DATASET_FRESH_S)):
            return known  # what is in use never waits: the answer serves the next request
        wait_s = limits.DATASET_WAIT_S if known is not None or create else limits.METADATA_TIMEOUT_S
        done, _ = await asyncio.wait({task}, timeout=wait_s)
        try:
            if not done:
                self._retry_later()
                raise MetadataUnavailable("the metadata store does not answer; try again")
            found = task.result()
        except MetadataUnavailable:
            if known is None and not create:
                raise
            return fallback
        if found is None:
            self._known.pop(identity, None)
            raise NotFound("dataset not found, and this API key may not create datasets")
        return self._verified(found)

    def _verified(self, found: Dataset) -> _Known:
        self._to_confirm.pop(found.id, None)
        return self._remember(_Known(found.id, found.expand_json_depth, self._clock.now_ns()))

    def _remember(self, known: _Known) -> _Known:
        self._known[known.id] = known
        if len(self._known) > limits.DATASET_CACHE_ENTRIES_MAX:
            forgotten, _ = self._known.popitem(last=False)
            self._to_confirm.pop(forgotten, None)
        if known.verified_ns:
            self._copy.changed()
        return known

    def _retry_later(self) -> None:
        self._failing = True
        self._retry_ns = self._clock.monotonic_ns() + limits.METADATA_RETRY_S * _SECOND_NS

    def _ask(self, wanted: Dataset, *, create: bool) -> asyncio.Task[Dataset | None]:
        """One question per dataset at a time; a key that may create also registers."""
        task = self._asking.get((wanted.id, create))
        if task is None:
            task = asyncio.create_task(self._ask_metadata(wanted, create))
            self._asking[wanted.id, create] = task
            task.add_done_callback(lambda done: self._asked(wanted, create, done))
        return task

    async def _ask_metadata(self, wanted: Dataset, create: bool) -> Dataset | None:
        loop = asyncio.get_running_loop()

        def ask() -> Dataset | None:
            return self._metadata.get_dataset(wanted.id) or (
                self._metadata.ensure_dataset(wanted) if create else None
            )

        return await loop.run_in_executor(self._threads, ask)

    def _asked(self, wanted: Dataset, create: bool, task: asyncio.Task[Dataset | None]) -> None:
        self._asking.pop((wanted.id, create), None)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._failing = False
            if create:
                self._pending.pop(wanted.id, None)
            found = task.result()
            if found is not None:
                self._verified(found)
            else:
                self._known.pop(wanted.id, None)
        elif isinstance(error, MetadataUnavailable):
            self._retry_later()
            if create and len(self._pending) < limits.DATASET_CACHE_ENTRIES_MAX:
                self._pending.setdefault(wanted.id, wanted)

    async def register_pending(self) -> None:
        """Try again to register what metadata did not take before. Called now and then."""
        if self._clock.monotonic_ns() < self._retry_ns:
            return
        for wanted in list(self._pending.values())[:_REGISTER_AT_ONCE]:
            task = self._ask(wanted, create=True)
            done, _ = await asyncio.wait({task}, timeout=limits.METADATA_TIMEOUT_S)
            if not done:
                self._retry_later()
                return

    async def confirm_used(self) -> None:
        """Ask metadata for what was used since it last said that it exists. Called now and then."""
        fresh_s = limits.DATASET_FRESH_S
        due = [
            use.dataset(identity)
            for identity, use in self._to_confirm.items()
            if not ((known := self._known.get(identity)) and self._fresh(known, fresh_s))
        ]
        for wanted in due[:_REGISTER_AT_ONCE]:
            if self._clock.monotonic_ns() < self._retry_ns:
                return
            task = self._ask(wanted, create=True)
            done, _ = await asyncio.wait({task}, timeout=limits.METADATA_TIMEOUT_S)
            if not done:
                self._retry_later()
            elif task.exception() is None and (found := task.result()) is not None:
                self._verified(found)

    def _load(self) -> None:
        stored = self._copy.load()
        if not stored:
            return
        try:
            entries = msgspec.json.decode(stored, type=list[_Known])
        except msgspec.DecodeError as error:
            say(_logger, logging.WARNING, "dataset cache cannot be read", error=str(error))
            return
        for entry in entries[-limits.DATASET_CACHE_ENTRIES_MAX :]:
            self._known[entry.id] = entry

    def _encode(self) -> bytes:
        return msgspec.json.encode([k for k in self._known.values() if k.verified_ns])

    async def close(self) -> None:
        """Write the cache to disk and release the threads."""
        await self._copy.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
