"""Whether events have a field whose name looks like that of another span's: `root.name`.

A stored field of exactly that name takes precedence over the relation.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple

from common import limits
from common.errors import Unavailable
from common.process.fair.requester import Requester
from common.tasks import for_each
from query.plan.parts.spans import SpanDataset
from query.plan.planner import QueryRequest, needs_definitions
from query.results.notes.coverage import why_incomplete
from query.results.relations.question import named_relations
from query.scatter.indexer_client import IndexerClient
from query.wire.columns import ColumnsRequest


class NamesKnown(NamedTuple):
    """stored: names that events have. untold: partitions of which it is not known."""

    stored: frozenset[str]
    untold: frozenset[int] = frozenset()


class StoredNames:
    """Asks the indexers, and only about such names.

    within_s: seconds after which an indexer that does not answer is done without.
    """

    def __init__(self, indexers: IndexerClient, within_s: float) -> None:
        self._indexers = indexers
        self._within_s = within_s

    async def resolved(self, query: QueryRequest) -> QueryRequest:
        """The question, with the names of it that are stored. Raises as `of` does."""
        names = named_relations(query.spec)
        if not names:
            return query
        stored, untold = await self.of(query.datasets, names, Requester(query.env, query.key))
        if stored.issuperset(names) and not needs_definitions(query.spec, query.dataset):
            query = replace(query, datasets=(), around=())
        return replace(query, stored=stored, untold=untold)

    async def of(
        self, datasets: Sequence[SpanDataset], names: Sequence[str], requester: Requester
    ) -> NamesKnown:
        """The names that an event of any of the datasets has.

        Raises TooManyRequests or Unavailable if an indexer is too busy.
        """
        found, silent = set[str](), set[str]()

        async def ask(one: tuple[str, SpanDataset]) -> None:
            name, dataset = one
            if name in found:
                return
            wanted = ColumnsRequest(dataset.id, name=name)
            known = await self._indexers.known_columns(wanted, requester, self._within_s, silent)
            silent.update(known.silent)
            if known.page.columns:
                found.add(name)

        await for_each(product(names, datasets), ask, limits.STORED_NAMES_ASKED_AT_ONCE)
        return NamesKnown(frozenset(found), await self._indexers.only_with(silent))


def note_untold(
    coverage: dict[str, Any], untold: Collection[int], *, must_be_complete: bool
) -> None:
    """Tell in the coverage that such names were not known of these partitions.

    Raises Unavailable where the coverage must be complete.
    """
    for one in coverage["partitions"]:
        if one["partition"] in untold and one["complete"]:
            one["complete"] = False
            one["reason"] = "it is not known whether its events have a field of such a name"
            coverage["complete"] = False
    if must_be_complete and not coverage["complete"]:
        raise Unavailable(why_incomplete(coverage))
