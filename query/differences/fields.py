"""Which fields of a dataset are looked at, and in which order: the most common ones first.

Calculated fields are among them: those of the query, and those that are stored. Fields that have
the same value in every stored event cannot differ.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from common import limits
from common.errors import BellwetherError, Unavailable
from common.process.fair.requester import Requester
from query.differences.find import ChosenFields
from query.differences.request import DifferencesRequest
from query.results.calculated.stored import StoredFields
from query.scatter.indexer_client import IndexerClient
from query.wire.columns import ColumnsRequest
from query.wire.field_facts import FieldFacts, FieldFactsPage
from query.wire.name_pattern import NamePattern


class TellsFacts(Protocol):
    """What is known of fields."""

    @property
    def page(self) -> FieldFactsPage:
        """Some of them."""

    def coverage(self) -> dict[str, Any]:
        """Of which events, and whether that is `complete`."""


class AskFacts(Protocol):
    """Asks for what is known of fields (`query.fields.exchange`)."""

    async def __call__(
        self, datasets: Sequence[str], requester: Requester, **asked: Any
    ) -> TellsFacts:
        """A page of the fields of these datasets. Raises Unavailable, TooManyRequests."""


class FieldChoice:
    """Lists the fields of datasets."""

    def __init__(self, indexers: IndexerClient, stored: StoredFields, facts: AskFacts) -> None:
        self._indexers = indexers
        self._stored = stored
        self._facts = facts

    async def fields(self, wanted: DifferencesRequest, within_s: float) -> ChosenFields:
        """The named ones, or those that the pattern fits; see `ChooseFields`."""
        if wanted.fields is not None:
            return ChosenFields(wanted.fields)
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + within_s
        calculated = await self._calculated(wanted)
        names, notes = await self._names(wanted, ends_s)
        every = tuple(dict.fromkeys([*calculated, *names]))
        if len(every) <= limits.DIFFERENCES_BATCH_MAX:
            return ChosenFields(every, 0, notes)
        facts = await self._common(wanted, ends_s)
        constant = facts.constant - {*calculated, *wanted.selection.fields}
        known = {*every}
        common = [one for one in facts.names if one in known]
        ordered = dict.fromkeys([*calculated, *sorted(wanted.selection.fields & known)])
        ordered |= dict.fromkeys([*common, *names])
        kept = tuple(one for one in ordered if one not in constant)
        return ChosenFields(kept, len(every) - len(kept), notes)

    async def _names(
        self, wanted: DifferencesRequest, ends_s: float
    ) -> tuple[list[str], tuple[str, ...]]:
        """The names of all fields that are stored; notes about those that are not known."""
        names, after, more = list[str](), None, True
        silent = set[str]()
        while more and len(names) < limits.FIELD_FACTS_SEARCHED:
            asked = ColumnsRequest("", after, limits.COLUMNS_PAGE_MAX, pattern=wanted.match)
            left_s = ends_s - asyncio.get_running_loop().time()
            if names and left_s <= 0:
                break
            known = await self._indexers.known_columns_of(
                wanted.datasets, asked, wanted.requester, left_s / 2, silent
            )
            if not known.is_told:
                raise Unavailable("no indexer can tell the dataset's fields now")
            page, silent = known.page, {*known.silent}
            names += [one.name for one in page.columns]
            more = page.more and bool(page.columns)
            after = page.columns[-1].name if page.columns else None
        notes = []
        if silent:
            notes.append(f"fields that only {', '.join(sorted(silent))} knows were not looked at")
        if more:
            notes.append(f"only the first {len(names):,} fields by name are known")
        return names, tuple(notes)

    async def _calculated(self, wanted: DifferencesRequest) -> list[str]:
        several = len(wanted.datasets) > 1  # then those of the environment, as in any question
        dataset = "" if several else wanted.datasets[0]
        stored = await self._stored.of(dataset, wanted.requester)
        own = [one.name for one in wanted.query.spec.calculated]
        pattern = NamePattern(wanted.match)
        return [one for one in dict.fromkeys([*own, *stored.expressions]) if pattern.matches(one)]

    async def _common(self, wanted: DifferencesRequest, ends_s: float) -> "_Facts":
        """What is known of the fields before the time is over."""
        facts, after = list[FieldFacts](), None
        events, known = 0, True
        try:
            async with asyncio.timeout_at(ends_s):
                while len(facts) < limits.FIELD_FACTS_SEARCHED:
                    left_s = ends_s - asyncio.get_running_loop().time()
                    found = await self._facts(
                        wanted.datasets, wanted.requester, within_s=left_s / 3, after=after,
                        pattern=wanted.match,
                    )  # fmt: skip
                    page = found.page
                    facts += page.fields
                    events = sum(one.rows for one in page.covered)
                    known = known and bool(found.coverage()["complete"])
                    if not page.more or not page.fields:
                        break
                    after = page.fields[-1].name
        except (BellwetherError, TimeoutError):  # their order is worth less than an answer
            known = False
        return _Facts(facts, events if known else 0)


class _Facts:
    """names: the most common fields first. constant: those with one value in every event."""

    def __init__(self, facts: list[FieldFacts], events: int) -> None:
        """events: stored ones; 0: it is not known of all."""
        ordered = sorted(facts, key=lambda one: (-one.rows, one.name))
        self.names = [one.name for one in ordered]
        self.constant = {one.name for one in facts if events and _is_constant(one, events)}


def _is_constant(one: FieldFacts, events: int) -> bool:
    if one.rows != events or one.unread or one.others or not one.few:
        return False
    return len(one.values) == 1 and one.values[0][2] == events and one.distinct <= 1
