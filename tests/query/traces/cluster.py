"""Twelve partitions on three indexers that answer over HTTP, and what gathers their spans."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp

from common.clock import SystemClock
from common.locks.files import FileLocks
from common.log.embedded.log import EmbeddedLog
from common.log.watch import LogWatch
from common.metadata import ApiKey
from common.metadata.sqlite import SqliteMetadata
from common.model.names import dataset_id
from common.process.auth import hash_key
from common.process.versions import OWN
from ops.admin import create_dataset, ensure_scope
from query.config import QueryConfig
from query.http.dataset_names import DatasetNames
from query.http.environment import EnvironmentDatasets
from query.results.runner import QueryRunner
from query.scatter.hedging import HedgingPolicy
from query.scatter.reconcile import Reconciler
from query.scatter.replicas import Replicas
from query.scatter.scatter import Scatter
from query.share.view.view import DatasetView, PartitionNotHeld, ViewRequest
from query.traces.exchange import SpanExchange
from query.traces.relations.search import TraceSearch
from query.traces.relations.spans import RelatedSpans
from tests.query.fake_indexer import FakeIndexer, run_indexer
from tests.query.harness import add_keys
from tests.query.share.rows import Row, Views, block, segment, view

PARTITIONS = 12
MARGIN_S = 3_600
INDEXERS = 3
DATASETS = ("web", "billing", "logs")
Placed = Mapping[tuple[int, str], Sequence[Row]]


class DatasetViews(Views):
    """PartitionViews over fixed views of several datasets. Partitions have gone in `lost`."""

    def __init__(self, partitions: Iterable[int], views: Sequence[DatasetView]) -> None:
        super().__init__([view(p) for p in partitions])
        self.views = {(one.partition, one.dataset): one for one in views}
        self.lost: set[int] = set()

    def lease(
        self, partition: int, dataset: str, wanted: ViewRequest
    ) -> AbstractAsyncContextManager[DatasetView]:
        return self._of_dataset(partition, dataset)

    @asynccontextmanager
    async def _of_dataset(self, partition: int, dataset: str) -> AsyncIterator[DatasetView]:
        if partition not in self.held or partition in self.lost:
            raise PartitionNotHeld(partition)
        self.leased += 1
        yield self.views.get((partition, dataset), replace(view(partition), dataset=dataset))


@dataclass
class SpanCluster:
    """What gathers spans, the key that asks, and the indexers with their views."""

    exchange: SpanExchange
    search: TraceSearch
    related: RelatedSpans
    key: ApiKey
    indexers: list[FakeIndexer]
    ids: dict[str, str]
    runner: QueryRunner

    def views_of(self, partition: int) -> DatasetViews:
        found = self.indexers[partition % INDEXERS].views
        assert isinstance(found, DatasetViews)
        return found

    def add(self, partition: int, dataset: str, rows: Sequence[Row]) -> None:
        """Events that arrive now: live rows after those that there are."""
        views, at = self.views_of(partition).views, (partition, self.ids[dataset])
        for other in self.ids.values():  # the end of the partition is that of all its datasets
            known = views.get((partition, other), replace(view(partition), dataset=other))
            views[partition, other] = replace(known, end_offset=known.end_offset + len(rows))
        known = views[at]
        more = block(rows, known.end_offset - len(rows))
        views[at] = replace(known, blocks=(*known.blocks, more))


def placed_views(
    folder: Path, placed: Placed, ids: Mapping[str, str], end_offset: int
) -> list[DatasetView]:
    """Half of the rows of each partition and dataset in a segment, the others live."""
    views, first = [], 0
    for (partition, dataset), rows in placed.items():
        half = len(rows) // 2
        sealed = [segment(rows[:half], folder, first)] if half else []
        live = [block(rows[half:], first + half)] if rows[half:] else []
        first += len(rows)
        one = view(partition, sealed, live, end_offset)
        views.append(replace(one, dataset=ids[dataset]))
    return views


@asynccontextmanager
async def span_cluster(
    tmp_path: Path, placed: Placed, *, twins: bool = False, end_offset: int = 10**6
) -> AsyncIterator[SpanCluster]:
    """twins: whether each partition has another indexer too, in zone `t`, with the same views."""
    clock = SystemClock()
    locks = FileLocks(tmp_path / "locks")
    metadata = SqliteMetadata(tmp_path / "meta.db")
    metadata.open()
    add_keys(metadata)
    key = metadata.find_key(hash_key("K"))
    assert key is not None
    place = ensure_scope(metadata, "T", "e")
    for name in DATASETS:
        create_dataset(metadata, place, name, 0, "", clock)
    ids = {name: dataset_id(key.team.id, key.environment.id, name) for name in DATASETS}
    log = EmbeddedLog(tmp_path / "log", PARTITIONS, clock)
    watch = LogWatch(log, await log.open(), clock)
    folder = tmp_path / "segments"
    folder.mkdir()
    views = placed_views(folder, placed, ids, end_offset)
    started = []
    for number in range(INDEXERS):
        held = range(number, PARTITIONS, INDEXERS)
        own = DatasetViews(held, [one for one in views if one.partition in held])
        for zone in (f"z{number}", *((f"t{number}",) if twins else ())):
            started.append(await run_indexer(locks, zone, own, held))
            started[-1][0].announce(OWN)
    async with aiohttp.ClientSession() as http:
        replicas = Replicas(locks, clock, "z0")
        scatter = Scatter(replicas, http, "token", HedgingPolicy(clock, 0))
        reconciler = Reconciler(scatter, http, "token")
        runner = QueryRunner(scatter, reconciler, watch, clock, QueryConfig())
        datasets = EnvironmentDatasets(DatasetNames(metadata, clock), clock)
        indexers = [one for one, _ in started if one.member.zone.startswith("z")]
        try:
            exchange, search = (
                SpanExchange(runner, datasets),
                TraceSearch(runner, datasets, MARGIN_S),
            )
            related = RelatedSpans(exchange, runner, datasets, MARGIN_S)
            yield SpanCluster(exchange, search, related, key, indexers, ids, runner)
        finally:
            await replicas.close()
            for indexer, server in started:
                await server.cleanup()
                indexer.endpoint.close()
            await log.close()
            metadata.close()
            await asyncio.to_thread(locks.close)


def scattered(
    rows: Iterable[tuple[str, Row]], chance: random.Random
) -> dict[tuple[int, str], list[Row]]:
    """Each event of a dataset in a partition of its own choice."""
    placed: dict[tuple[int, str], list[Row]] = {}
    for dataset, row in rows:
        placed.setdefault((chance.randrange(PARTITIONS), dataset), []).append(row)
    return placed
