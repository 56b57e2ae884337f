"""Asks indexers for the facts of fields: one of each partition, another one where that fails."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import aiohttp
import msgspec

from common import limits
from common.error_text import describe_error
from common.errors import BellwetherError, Unavailable
from common.log.watch import LogWatch
from common.logs import log_event
from common.process.error_body import read_error_body
from common.process.fair.requester import Requester
from common.process.members import Member
from common.process.versions import PLAN_QUESTIONS
from common.tasks import for_each
from query.scatter.indexer_client import IndexerClient
from query.scatter.replicas import Replicas
from query.wire.field_facts import (
    FieldFactsPage,
    FieldFactsRequest,
    SourceCoverage,
    covered_together,
    merge_fact_pages,
)

_TIMEOUT_S: Final = 20.0
_BUSY: Final = 429
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FoundFacts:
    """missing: why nothing is known of a partition."""

    page: FieldFactsPage
    missing: dict[int, str] = field(default_factory=dict)

    def coverage(self) -> dict[str, Any]:
        """What the facts are of, by partition, as an answer says it."""
        known = [_covered(one) for one in self.page.covered]
        absent = [
            {"partition": partition, "complete": False, "reason": why}
            for partition, why in sorted(self.missing.items())
        ]
        every = sorted([*known, *absent], key=lambda one: int(one["partition"]))
        return {"complete": all(one["complete"] for one in every), "partitions": every}


def _covered(one: SourceCoverage) -> dict[str, Any]:
    why = f"nothing is known yet of {one.unread:,} events' fields" if one.unread else ""
    return {
        "partition": one.partition,
        "stored": one.rows,
        "live": one.live_rows,
        "bytes": one.stored_bytes,
        "complete": not one.unread,
        "reason": why,
    }


class FieldFactsExchange:
    """Calls of `POST /internal/field_facts`."""

    def __init__(self, replicas: Replicas, indexers: IndexerClient, watch: LogWatch) -> None:
        self._replicas = replicas
        self._indexers = indexers
        self._watch = watch

    async def ask(
        self, dataset: str, requester: Requester, *, within_s: float = _TIMEOUT_S, **asked: Any
    ) -> FoundFacts:
        """The merged facts. asked: further members of `FieldFactsRequest`. within_s: what one
        indexer may take.

        Raises Unavailable where no indexer answers, TooManyRequests where this key asks too much.
        """
        return await self._ask(dataset, requester, set(), within_s, asked)

    async def _ask(
        self,
        dataset: str,
        requester: Requester,
        silent: set[str],
        within_s: float,
        asked: Mapping[str, Any],
    ) -> FoundFacts:
        """As `ask`. silent: addresses of indexers that are not asked; gets those without answer."""
        left, tried = set(range(self._watch.partitions)), {*silent}
        pages, missing = list[FieldFactsPage](), dict[int, str]()
        while left:
            chosen = await self._choose(left, tried, missing)
            if not chosen:
                break
            tried |= {member.url for member, _ in chosen}
            calls = (
                self._call(member, FieldFactsRequest(
                    dataset, tuple(sorted(of)), version=PLAN_QUESTIONS, **asked
                ), requester, within_s)
                for member, of in chosen
            )  # fmt: skip
            answers = await asyncio.gather(*calls)
            for (member, _), page in zip(chosen, answers, strict=True):
                if page is None:
                    silent.add(member.url)
                else:
                    pages.append(page)
                    left -= {one.partition for one in page.covered}
        if not pages:
            reasons = "; ".join(dict.fromkeys(missing.values())) or "no indexer answers"
            raise Unavailable(f"nothing can be told of the dataset's fields now: {reasons}")
        size = asked.get("size", limits.FIELD_FACTS_PAGE)
        merged = await asyncio.to_thread(merge_fact_pages, pages, size)
        return FoundFacts(merged, {p: why for p, why in missing.items() if p in left})

    async def ask_of(
        self,
        datasets: Sequence[str],
        requester: Requester,
        *,
        within_s: float = _TIMEOUT_S,
        **asked: Any,
    ) -> FoundFacts:
        """As `ask`, about the fields of all of these datasets together.

        Pages are put together as they come: those of a thousand datasets are 4 GB. An indexer that
        has not answered about one dataset is asked about no other: each would wait for it again.
        """
        if len(datasets) == 1:
            return await self.ask(datasets[0], requester, within_s=within_s, **asked)
        pages, missing, silent = list[FieldFactsPage](), dict[int, str](), set[str]()
        together = partial(_together, size=asked.get("size", limits.FIELD_FACTS_PAGE))

        async def ask(dataset: str) -> None:
            found = await self._ask(dataset, requester, silent, within_s, asked)
            missing.update(found.missing)
            pages.append(found.page)
            if len(pages) > limits.FIELDS_DATASETS_AT_ONCE:
                some = [*pages]
                pages.clear()
                pages.append(await asyncio.to_thread(together, some))

        await for_each(datasets, ask, limits.FIELDS_DATASETS_AT_ONCE)
        page = await asyncio.to_thread(together, pages)
        covered = [one for one in page.covered if one.partition not in missing]
        return FoundFacts(FieldFactsPage(covered, page.fields, page.more), missing)

    async def _choose(
        self, left: set[int], tried: set[str], missing: dict[int, str]
    ) -> Sequence[tuple[Member, set[int]]]:
        """For each partition an indexer that was not tried; why there is none."""
        by_partition = await self._replicas.by_partition()
        chosen: dict[str, tuple[Member, set[int]]] = {}
        for partition in left:
            holders = by_partition.get(partition, [])
            able = [one for one in holders if one.understands.plan >= PLAN_QUESTIONS]
            untried = [one for one in able if one.url not in tried]
            if untried:
                chosen.setdefault(untried[0].url, (untried[0], set()))[1].add(partition)
            if not holders:
                missing[partition] = "no indexer holds it"
            elif not able:
                missing[partition] = f"{holders[0].instance} does not know such questions yet"
            else:
                missing[partition] = "no indexer answered for it"
        return list(chosen.values())

    async def _call(
        self, member: Member, wanted: FieldFactsRequest, requester: Requester, within_s: float
    ) -> FieldFactsPage | None:
        """One indexer's page; None: it did not answer. Raises TooManyRequests, Unavailable."""
        try:
            async with self._indexers.http.post(
                f"{member.url}/internal/field_facts",
                params=requester._asdict(),
                data=msgspec.json.encode(wanted),
                headers=self._indexers.headers,
                timeout=aiohttp.ClientTimeout(within_s, sock_connect=limits.CONNECT_TIMEOUT_S),
            ) as response:
                data = await response.read()
                if response.status == _BUSY:
                    why = f"indexer {member.instance} is busy"
                    raise read_error_body(response.status, data, why)
                response.raise_for_status()
            return await asyncio.to_thread(msgspec.msgpack.decode, data, type=FieldFactsPage)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            if isinstance(error, BellwetherError):
                raise
            why = describe_error(error)
            log_event(_logger, logging.WARNING, "no facts", indexer=member.instance, why=why)
            return None


def _together(pages: Sequence[FieldFactsPage], *, size: int) -> FieldFactsPage:
    """One page of several datasets' pages, of at most `size` fields."""
    merged = merge_fact_pages(pages, size)
    return FieldFactsPage(covered_together(merged.covered), merged.fields, merged.more)
