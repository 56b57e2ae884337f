"""Resolves dataset names, without ever needing metadata to accept data (I8).

Ids are derived from names, so a new dataset needs no database. It is registered once an event of it
is stored (nothing else creates one), and the registration is retried until metadata has it. Depth
settings are cached in memory and on disk. Datasets that were used from the cache are confirmed
later, so a dataset that was deleted in the meantime is registered again.
"""

import asyncio
import logging
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from common import limits
from common.clock import Clock
from common.errors import BadRequest, MetadataUnavailable, NotFound
from common.logs import log_event
from common.metadata import ApiKey, Dataset, Metadata
from common.metadata.lookup import AmbiguousDataset, may_be_second_name
from common.model.names import BadDatasetName, dataset_id, dataset_slug
from common.process.machine.disk_copy import DiskCopy
from shepherd.datasets.quota import DatasetRoom
from shepherd.ingest.decoded_events import Target

_THREADS = 2
_REGISTER_AT_ONCE = 100
_SECOND_NS = 10**9
_ABSENT_NS = _SECOND_NS  # how long "there is no such dataset" is cached
_SILENT = "the metadata store does not answer; try again"
_logger = logging.getLogger(__name__)


class _Known(msgspec.Struct, frozen=True):
    """The cached state of a dataset."""

    id: str
    depth: int
    verified_ns: int  # unix ns of metadata's last response; 0: none yet


class Resolved(msgspec.Struct, frozen=True):
    """The dataset that a name means. One per request: `dataset` is built on demand."""

    target: Target
    key: ApiKey
    slug: str
    name: str
    used_ns: int
    is_new: bool = False  # it may not exist in metadata yet
    checked: bool = True  # metadata was queried for this request and responded

    def dataset(self) -> Dataset:
        """The dataset as it would be registered."""
        return Dataset(
            id=self.target.dataset_id,
            env_id=self.target.env_id,
            slug=self.slug,
            name=self.name.strip(),
            created_ns=self.used_ns,
            delete_protected=True,
        )


class DatasetCache:
    """Resolves names to targets and registers new datasets. Use it from one event loop."""

    def __init__(
        self,
        metadata: Metadata,
        clock: Clock,
        disk: Path,
        datasets_max: int = limits.DATASETS_MAX_DEFAULT,
    ) -> None:
        self._room = DatasetRoom(datasets_max)
        self._metadata = metadata
        self._clock = clock
        self._copy = DiskCopy(disk, self._encode)
        self._pending: dict[str, Dataset] = {}
        self._to_confirm: dict[str, Resolved] = {}
        self._absent: OrderedDict[str, int] = OrderedDict()  # id to monotonic ns of the lookup
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._second: OrderedDict[str, str] = OrderedDict()  # id of a dataset by the id of its slug
        self._asking: dict[tuple[str, bool], asyncio.Task[Dataset | None]] = {}  # (id, registers)
        self._retry_ns = 0
        self._failing = False  # metadata did not respond to the last request
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="datasets")
        self._load()

    async def resolve(self, key: ApiKey, name: str) -> Resolved:
        """The dataset of this (URL-decoded) name in the key's environment; creates nothing.

        A name that is the slug of another dataset (`common.metadata.lookup`) resolves to that
        dataset only for a key that may not create datasets. For other keys the id follows from the
        name alone, whether metadata responds or not, so that events of two names never mix.

        Raises BadRequest for an invalid name, NotFound if the dataset does not exist and the key
        may not create it, AmbiguousDataset if the name is the slug of several, MetadataUnavailable
        if only metadata could decide between these.
        """
        try:
            slug = dataset_slug(name)
        except BadDatasetName as error:
            raise BadRequest(str(error)) from error
        identity = dataset_id(key.team.id, key.environment.id, slug)
        known = self._known.get(identity)
        if known is None and not key.access.create_datasets:
            known = self._known.get(self._second.get(identity, ""))
        is_new, checked = False, True
        if known is not None:
            self._known.move_to_end(known.id)
        if known is None or not self._fresh(known, limits.DATASET_FRESH_S):
            found = await self._refresh(key, identity, slug, known)
            checked = found is None or found.verified_ns > 0
            is_new = found is None or (known is None and not checked)
            known = found
        depth = 0 if known is None else known.depth
        meant = identity if known is None else known.id
        target = Target(key.team.id, key.environment.id, meant, depth)
        return Resolved(target, key, slug, name, self._clock.now_ns(), is_new, checked)

    def _fresh(self, known: _Known, seconds: int) -> bool:
        return 0 <= self._clock.now_ns() - known.verified_ns < seconds * _SECOND_NS

    async def _refresh(
        self, key: ApiKey, identity: str, slug: str, known: _Known | None
    ) -> _Known | None:
        """The dataset as metadata has it; None: it does not exist and the key may create it. When
        metadata does not respond: the cached state, or a dataset that was never verified.
        """
        fallback = known or _Known(identity, 0, 0)
        create = key.access.create_datasets
        now_ns = self._clock.monotonic_ns()
        if now_ns < self._retry_ns and (known is not None or create):
            return fallback
        asked_ns = self._absent.get(identity)
        just_asked = asked_ns is not None and now_ns - asked_ns < _ABSENT_NS
        if create and just_asked and self._room.has_room(key.environment.id):
            return None  # a shepherd that creates it meanwhile also registers it
        task = self._ask(identity, key.environment.id)
        if known is not None and (self._failing or self._fresh(known, 2 * limits.DATASET_FRESH_S)):
            return known  # a dataset in use never waits: the next request gets the result
        wait_s = limits.DATASET_WAIT_S if known is not None or create else limits.METADATA_TIMEOUT_S
        done, _ = await asyncio.wait({task}, timeout=wait_s)
        try:
            if not done:
                self._retry_later()
                raise MetadataUnavailable(_SILENT)
            found = task.result()
        except MetadataUnavailable:
            if known is None and not create:
                raise
            return fallback
        if found is not None:
            return self._verified(found)
        self._known.pop(identity, None)
        return None if create else await self._of_slug(key.environment.id, identity, slug)

    async def _of_slug(self, environment: str, identity: str, slug: str) -> _Known:
        """The only dataset whose slug this is. identity: the id that a dataset of this name would
        have. Raises NotFound, AmbiguousDataset, MetadataUnavailable.
        """
        named: list[Dataset] = []
        if may_be_second_name(slug):
            find, loop = self._metadata.find_by_url_slug, asyncio.get_running_loop()
            try:
                async with asyncio.timeout(limits.METADATA_TIMEOUT_S):
                    named = await loop.run_in_executor(self._threads, find, environment, slug)
            except TimeoutError as error:
                raise MetadataUnavailable(_SILENT) from error
        if len(named) > 1:
            raise AmbiguousDataset(slug, named)
        if not named:
            self._second.pop(identity, None)
            raise NotFound("dataset not found, and this API key may not create datasets")
        self._second[identity] = named[0].id
        if len(self._second) > limits.DATASET_CACHE_ENTRIES_MAX:
            self._second.popitem(last=False)
        return self._verified(named[0])

    def room_for(self, resolved: Resolved) -> AbstractContextManager[None]:
        """Reserve a new dataset within its environment's limit, while its events are stored.

        Entering the block raises TooManyDatasets, MetadataUnavailable.
        """
        target = resolved.target
        return self._room.reserved(target.env_id, target.dataset_id, checked=resolved.checked)

    def used(self, resolved: Resolved) -> None:
        """Note that an event of a known dataset is stored, for `confirm_used`."""
        if resolved.key.access.create_datasets:
            self._to_confirm[resolved.target.dataset_id] = resolved

    async def created(self, resolved: Resolved) -> None:
        """Register a new dataset after its first event is stored, now or by `register_pending`."""
        wanted = resolved.dataset()
        if wanted.id not in self._known:
            self._remember(_Known(wanted.id, resolved.target.depth, 0))
        if self._clock.monotonic_ns() < self._retry_ns:
            self._wait_to_register(wanted)
            return
        done, _ = await asyncio.wait({self._register(wanted)}, timeout=limits.DATASET_WAIT_S)
        if not done:
            self._retry_later()

    def _wait_to_register(self, wanted: Dataset) -> None:
        if wanted.id in self._pending or len(self._pending) >= limits.DATASET_CACHE_ENTRIES_MAX:
            return
        self._pending[wanted.id] = wanted
        self._room.waits(wanted.env_id, 1)

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

    def _ask(self, identity: str, environment: str) -> asyncio.Task[Dataset | None]:
        """Look a dataset up in metadata; at most one task per dataset runs."""
        task = self._asking.get((identity, False))
        if task is None:
            task = asyncio.create_task(self._ask_metadata(identity, environment))
            self._asking[identity, False] = task
            task.add_done_callback(lambda done: self._asked(identity, done))
        return task

    async def _ask_metadata(self, identity: str, environment: str) -> Dataset | None:
        def ask() -> tuple[Dataset | None, int]:
            found = self._metadata.get_dataset(identity)
            return found, 0 if found else self._metadata.count_datasets(environment)

        found, datasets = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        if found is None:
            self._room.counted(environment, datasets)
            self._absent[identity] = self._clock.monotonic_ns()
            if len(self._absent) > limits.DATASET_CACHE_ENTRIES_MAX:
                self._absent.popitem(last=False)
        return found

    def _asked(self, identity: str, task: asyncio.Task[Dataset | None]) -> None:
        self._asking.pop((identity, False), None)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._failing = False
            if (found := task.result()) is not None:
                self._verified(found)
            else:
                self._known.pop(identity, None)
        elif isinstance(error, MetadataUnavailable):
            self._retry_later()

    def _register(self, wanted: Dataset) -> asyncio.Task[Dataset | None]:
        """Register a dataset that has stored events; at most one task per dataset runs."""
        task = self._asking.get((wanted.id, True))
        if task is None:
            task = asyncio.create_task(self._ensure(wanted))
            self._asking[wanted.id, True] = task
            task.add_done_callback(lambda done: self._registered(wanted, done))
        return task

    async def _ensure(self, wanted: Dataset) -> Dataset | None:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._metadata.ensure_dataset, wanted)

    def _registered(self, wanted: Dataset, task: asyncio.Task[Dataset | None]) -> None:
        self._asking.pop((wanted.id, True), None)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._failing = False
            if self._pending.pop(wanted.id, None) is not None:
                self._room.waits(wanted.env_id, -1)
            if self._absent.pop(wanted.id, None) is not None:
                self._room.created(wanted.env_id)
            if (found := task.result()) is not None:
                self._verified(found)
        elif isinstance(error, MetadataUnavailable):
            self._retry_later()
            self._wait_to_register(wanted)

    async def register_pending(self) -> None:
        """Retry the registrations that failed. Called every second."""
        if self._clock.monotonic_ns() < self._retry_ns:
            return
        for wanted in list(self._pending.values())[:_REGISTER_AT_ONCE]:
            task = self._register(wanted)
            done, _ = await asyncio.wait({task}, timeout=limits.METADATA_TIMEOUT_S)
            if not done:
                self._retry_later()
                return

    async def confirm_used(self) -> None:
        """Register again each dataset that was used since metadata confirmed it. Called every
        second.
        """
        fresh_s = limits.DATASET_FRESH_S
        due = [
            use.dataset()
            for identity, use in self._to_confirm.items()
            if not ((known := self._known.get(identity)) and self._fresh(known, fresh_s))
        ]
        for wanted in due[:_REGISTER_AT_ONCE]:
            if self._clock.monotonic_ns() < self._retry_ns:
                return
            task = self._register(wanted)
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
            log_event(_logger, logging.WARNING, "dataset cache cannot be read", error=str(error))
            return
        for entry in entries[-limits.DATASET_CACHE_ENTRIES_MAX :]:
            self._known[entry.id] = entry

    def _encode(self) -> bytes:
        return msgspec.json.encode([k for k in self._known.values() if k.verified_ns])

    async def close(self) -> None:
        """Write the cache to disk and release the threads."""
        await self._copy.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
