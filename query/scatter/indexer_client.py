"""Calls of indexers besides shares: columns, datasets, status and cuts."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, NamedTuple

import aiohttp
import msgspec

from common import limits
from common.error_text import describe_error
from common.errors import TooManyRequests, Unavailable
from common.logs import log_event
from common.process.error_body import read_error_body
from common.process.fair.requester import Requester
from common.process.members import Member
from common.process.versions import PLAN_TYPED_STATES
from common.process.web import INTERNAL_TOKEN_HEADER
from common.tasks import for_each
from query.scatter.replicas import Replicas
from query.wire.columns import (
    ColumnPage,
    ColumnsRequest,
    DatasetsRequest,
    IndexedColumn,
    IndexedDataset,
    merge_datasets,
    merge_pages,
    page_of_all,
)

_COLUMNS_S = 30.0  # reading footers of a million names takes seconds
_TIMEOUT = aiohttp.ClientTimeout(total=_COLUMNS_S)
_STATUS_TIMEOUT = aiohttp.ClientTimeout(total=5)  # an operator waits for it
_CUT_TIMEOUT = aiohttp.ClientTimeout(total=120)
_logger = logging.getLogger(__name__)


class KnownColumns(NamedTuple):
    """silent: the indexers that did not answer: what only they know is not in the page."""

    page: ColumnPage
    silent: frozenset[str]
    is_told: bool = True  # by any indexer, if there is one


class IndexerClient:
    """Calls every indexer. One that does not answer is listed, never silently left out."""

    def __init__(self, replicas: Replicas, http: aiohttp.ClientSession, token: str) -> None:
        self._replicas = replicas
        self.http = http
        self.headers = {INTERNAL_TOKEN_HEADER: token}

    async def indexers(self) -> list[Member]:
        """Every indexer that holds a claim."""
        return await self._replicas.indexers()

    async def columns(self, wanted: ColumnsRequest, requester: Requester) -> ColumnPage:
        """A page of the dataset's fields, merged from all indexers.

        Raises Unavailable if none answers or one is too busy, TooManyRequests when it is this key
        that asks one too much at once.
        """
        known = await self.known_columns(wanted, requester, _COLUMNS_S)
        if not known.is_told:
            raise Unavailable("no indexer can tell the dataset's columns now")
        return known.page

    async def known_columns(
        self,
        wanted: ColumnsRequest,
        requester: Requester,
        within_s: float,
        but: Collection[str] = (),
    ) -> KnownColumns:
        """As `columns`, of the indexers that answer in so many seconds, of which there may be none.

        but: indexers that are not asked, as they were silent before.
        """

        async def ask(member: Member) -> ColumnPage:
            async with asyncio.timeout(within_s):
                return await self._columns(member, wanted, requester)

        answers, failed = await self._each(ask, but)
        silent = frozenset({*failed, *but})
        page = merge_pages(list(answers.values()), wanted.size)
        return KnownColumns(page, silent, bool(answers) or not silent)

    async def columns_of(
        self, datasets: Sequence[str], wanted: ColumnsRequest, requester: Requester
    ) -> ColumnPage:
        """As `columns`, of the fields that any of these datasets has."""
        known = await self.known_columns_of(datasets, wanted, requester, _COLUMNS_S)
        if not known.is_told:
            raise Unavailable("no indexer can tell the datasets' columns now")
        return known.page

    async def known_columns_of(
        self,
        datasets: Sequence[str],
        wanted: ColumnsRequest,
        requester: Requester,
        within_s: float,
        but: Collection[str] = (),
    ) -> KnownColumns:
        """As `known_columns`, of the fields that any of these datasets has.

        Pages are put together as they come: a thousand datasets may have ten thousand fields each.
        """
        pages, silent, told = list[ColumnPage](), {*but}, list[bool]()

        async def ask(dataset: str) -> None:
            one = msgspec.structs.replace(wanted, dataset=dataset)
            known = await self.known_columns(one, requester, within_s, silent)
            silent.update(known.silent)
            told.append(known.is_told)
            pages.append(known.page)
            if len(pages) > limits.FIELDS_DATASETS_AT_ONCE:
                some = [*pages]
                pages.clear()
                pages.append(await asyncio.to_thread(merge_pages, some, wanted.size))

        await for_each(datasets, ask, limits.FIELDS_DATASETS_AT_ONCE)
        page = await asyncio.to_thread(merge_pages, pages, wanted.size)
        return KnownColumns(page, frozenset(silent), all(told))

    async def only_with(self, silent: Collection[str]) -> frozenset[int]:
        """The partitions that only these indexers hold."""
        held = await self._replicas.by_partition()
        return frozenset(
            partition
            for partition, some in held.items()
            if some and all(one.instance in silent for one in some)
        )

    async def datasets(
        self, wanted: DatasetsRequest, requester: Requester
    ) -> dict[str, IndexedDataset]:
        """Summaries of datasets from all indexers, by id. One call of each indexer for all ids.

        A dataset that no indexer has is not in the result. Raises as `columns` does where an
        indexer is too busy.
        """
        answers, _ = await self._each(
            lambda m: self._post(m, "datasets", wanted, requester, dict[str, IndexedDataset])
        )
        return merge_datasets(answers.values())

    async def status(self) -> list[dict[str, Any]]:
        """The status of each indexer, or the error that it answered with."""
        answers, failed = await self._each(self._status)
        found = [{"indexer": name, "status": status} for name, status in answers.items()]
        return [*found, *({"indexer": name, "error": why} for name, why in failed.items())]

    async def cut(self) -> list[dict[str, Any]]:
        """Cut on every indexer now; wait until the segments are published."""
        answers, failed = await self._each(self._cut)
        found = [{"indexer": name, "answer": answer} for name, answer in answers.items()]
        return [*found, *({"indexer": name, "error": why} for name, why in failed.items())]

    async def _each(
        self, call: Callable[[Member], Awaitable[Any]], but: Collection[str] = ()
    ) -> tuple[dict[str, Any], dict[str, str]]:
        members = [one for one in await self.indexers() if one.instance not in but]
        results = await asyncio.gather(*(call(m) for m in members), return_exceptions=True)
        answers: dict[str, Any] = {}
        failed: dict[str, str] = {}
        for member, result in zip(members, results, strict=True):
            if isinstance(result, aiohttp.ClientError | TimeoutError | OSError | ValueError):
                log_event(_logger, logging.WARNING, "indexer silent", indexer=member.instance)
                failed[member.instance] = describe_error(result)
            elif isinstance(result, BaseException):
                raise result
            else:
                answers[member.instance] = result
        return answers, failed

    async def _columns(
        self, member: Member, wanted: ColumnsRequest, requester: Requester
    ) -> ColumnPage:
        if member.understands.plan >= PLAN_TYPED_STATES:
            page: ColumnPage = await self._post(member, "columns", wanted, requester, ColumnPage)
            return page
        async with self.http.get(  # an earlier one knows only this route, which gives all columns
            f"{member.url}/internal/columns",
            params={"dataset": wanted.dataset, **requester._asdict()},
            headers=self.headers,
            timeout=_TIMEOUT,
        ) as response:
            await _raise_refusal(response, member)
            body = await response.read()
        return page_of_all(msgspec.json.decode(body, type=list[IndexedColumn]), wanted)

    async def _post(
        self,
        member: Member,
        path: str,
        wanted: msgspec.Struct,
        requester: Requester,
        answer: Any,
    ) -> Any:
        async with self.http.post(
            f"{member.url}/internal/{path}",
            params=requester._asdict(),
            data=msgspec.json.encode(wanted),
            headers=self.headers,
            timeout=_TIMEOUT,
        ) as response:
            await _raise_refusal(response, member)
            return msgspec.json.decode(await response.read(), type=answer)

    async def _status(self, member: Member) -> object:
        url = f"{member.url}/internal/status"
        async with self.http.get(url, headers=self.headers, timeout=_STATUS_TIMEOUT) as response:
            response.raise_for_status()
            return msgspec.json.decode(await response.read())

    async def _cut(self, member: Member) -> object:
        url = f"{member.url}/internal/cut?wait=1"
        async with self.http.post(url, headers=self.headers, timeout=_CUT_TIMEOUT) as response:
            response.raise_for_status()
            return msgspec.json.decode(await response.read() or b"null")


async def _raise_refusal(response: aiohttp.ClientResponse, member: Member) -> None:
    """An indexer that is too busy is not passed over: columns that it alone knows would be missing
    without a word. Raises TooManyRequests, Unavailable; ClientResponseError for other failures.
    """
    if response.status == TooManyRequests.status:
        why = f"indexer {member.instance} is busy"
        raise read_error_body(response.status, await response.read(), why)
    response.raise_for_status()
