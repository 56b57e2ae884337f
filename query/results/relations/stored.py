"""Whether events have a field whose name looks like that of another span's: `root.name`.

A stored field of exactly that name takes precedence over the relation.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from common import limits
from common.process.fair.requester import Requester
from query.plan.parts.spans import SpanDataset
from query.plan.planner import QueryRequest, needs_definitions
from query.results.relations.question import named_relations
from query.scatter.indexer_client import IndexerClient
from query.wire.columns import ColumnsRequest


class StoredNames:
    """Asks the indexers, and only about such names."""

    def __init__(self, indexers: IndexerClient) -> None:
        self._indexers = indexers

    async def resolved(self, query: QueryRequest) -> QueryRequest:
        """The question, with the names of it that are stored. Raises as `of` does."""
        names = named_relations(query.spec)
        if not names:
            return query
        stored = await self.of(query.datasets, names, Requester(query.env, query.key))
        if stored.issuperset(names) and not needs_definitions(query.spec, query.dataset):
            query = replace(query, datasets=(), around=())
        return replace(query, stored=stored)

    async def of(
        self, datasets: Sequence[SpanDataset], names: Sequence[str], requester: Requester
    ) -> frozenset[str]:
        """The names that an event of any of the datasets has. Raises as `IndexerClient.columns`."""
        left = iter(product(names, datasets))
        found = set[str]()

        async def ask_on() -> None:
            for name, dataset in left:
                if name not in found:
                    wanted = ColumnsRequest(dataset.id, name=name)
                    if (await self._indexers.columns(wanted, requester)).columns:
                        found.add(name)

        await asyncio.gather(*(ask_on() for _ in range(limits.STORED_NAMES_ASKED_AT_ONCE)))
        return frozenset(found)
