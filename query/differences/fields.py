"""Which fields of a dataset are looked at: all, or as many of the most common as one question may.

Calculated fields are among them: those of the query, and those that are stored.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from common import limits
from common.errors import Unavailable
from common.process.fair.requester import Requester
from query.differences.request import DifferencesRequest
from query.results.calculated.stored import StoredFields
from query.scatter.indexer_client import IndexerClient
from query.wire.columns import ColumnsRequest
from query.wire.field_facts import FieldFacts, FieldFactsPage
from query.wire.name_pattern import NamePattern


@dataclass(frozen=True, slots=True)
class ChosenFields:
    """left_out: how many more there are. how: these were chosen, for a note."""

    names: tuple[str, ...]
    left_out: int = 0
    how: str = ""


class AskFacts(Protocol):
    """Asks for what is known of fields (`query.fields.exchange`)."""

    async def __call__(self, dataset: str, requester: Requester, **asked: Any) -> FieldFactsPage:
        """A page. Raises Unavailable, TooManyRequests."""


class FieldChoice:
    """Lists the fields of datasets."""

    def __init__(self, indexers: IndexerClient, stored: StoredFields, facts: AskFacts) -> None:
        self._indexers = indexers
        self._stored = stored
        self._facts = facts

    async def fields(self, wanted: DifferencesRequest) -> ChosenFields:
        """The named ones, or those that the pattern fits. Raises as `IndexerClient.columns`."""
        if wanted.fields is not None:
            return ChosenFields(wanted.fields)
        calculated, names = await self._calculated(wanted), await self._names(wanted)
        every = tuple(dict.fromkeys([*calculated, *names]))
        most = limits.DIFFERENCES_FIELDS_MAX
        if len(every) <= most:
            return ChosenFields(every)
        known = set(every)
        common = [one for one in await self._common(wanted) if one in known]
        how = f"the {most:,} most common fields were looked at"
        if not common:
            how = f"the first {most:,} fields by name were looked at"
        kept = tuple(dict.fromkeys([*calculated, *common, *names]))[:most]
        return ChosenFields(kept, len(every) - len(kept), how)

    async def _names(self, wanted: DifferencesRequest) -> list[str]:
        """The names of all fields that are stored."""
        names, after, more = list[str](), None, True
        while more and len(names) < limits.FIELD_FACTS_SEARCHED:
            asked = ColumnsRequest(
                wanted.query.dataset, after, limits.COLUMNS_PAGE_MAX, pattern=wanted.match
            )
            page = await self._indexers.columns(asked, wanted.requester)
            names += [one.name for one in page.columns]
            more = page.more and bool(page.columns)
            after = page.columns[-1].name if page.columns else None
        return names

    async def _calculated(self, wanted: DifferencesRequest) -> list[str]:
        stored = await self._stored.of(wanted.query.dataset, wanted.requester)
        own = [one.name for one in wanted.query.spec.calculated]
        pattern = NamePattern(wanted.match)
        return [one for one in dict.fromkeys([*own, *stored.expressions]) if pattern.matches(one)]

    async def _common(self, wanted: DifferencesRequest) -> list[str]:
        """Names of fields that events of the range may have, the most common first."""
        facts, after = list[FieldFacts](), None
        try:
            while len(facts) < limits.FIELD_FACTS_SEARCHED:
                page = await self._facts(
                    wanted.query.dataset, wanted.requester, after=after, pattern=wanted.match
                )
                facts += page.fields
                if not page.more or not page.fields:
                    break
                after = page.fields[-1].name
        except Unavailable:
            return []
        return [one.name for one in sorted(facts, key=_by_rows)]


def _by_rows(one: FieldFacts) -> tuple[int, str]:
    return -one.rows, one.name
