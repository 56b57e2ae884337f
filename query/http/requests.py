"""Reads requests to a dataset: the key, the JSON body, the dataset, the required coverage.

Also runs work that is cancelled when the caller disconnects.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from aiohttp import web

from common import limits
from common.clock import Clock
from common.errors import BadRequest
from common.metadata import ApiKey
from common.model.names import ALL_DATASETS, BadDatasetName
from common.model.position import Position, parse_receipt
from common.process.auth import KeyCache
from common.process.fair.requester import Requester
from common.process.web import has_hung_up
from common.tasks import cancel_and_wait
from query.asking.question import present_question
from query.faults import SpecError
from query.http.access import authorize, requester_of
from query.http.dataset_names import DatasetNames
from query.http.problems import json_body, json_object
from query.results.notes.coverage import CoverageRequirement

AFTER_HEADER: Final = "X-Bellwether-After"
_MODES: Final = ("wait", "require", "accept")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DatasetRequest:
    """A request with the right to query, to one dataset or to all of them.

    dataset: the dataset's id, or ALL_DATASETS.
    body: the request's JSON object.
    now_ns: when the request was read, in unix ns.
    after: the receipt of the header `X-Bellwether-After`, if it has one.
    dataset_ns: when the dataset in the path was made, in unix ns; 0: unknown.
    """

    key: ApiKey
    dataset: str
    body: dict[str, Any]
    now_ns: int
    after: str | None
    dataset_ns: int = 0

    @property
    def requester(self) -> Requester:
        """The environment and key whose fair share of turns the request takes."""
        return requester_of(self.key)

    def coverage_required(self) -> CoverageRequirement:
        """The coverage required by the body and the header. Raises SpecError."""
        mode = self.body.get("coverage", "wait")
        if mode not in _MODES:
            raise SpecError("coverage", "invalid", f"must be one of {', '.join(_MODES)}")
        after: list[Position] = []
        for text in (self.after, self.body.get("after")):
            if text is None:
                continue
            if not isinstance(text, str):
                raise SpecError("after", "incorrect_type", "must be a receipt, a string")
            try:
                after += parse_receipt(text)
            except ValueError as error:
                raise SpecError("after", "invalid", str(error)) from error
        return CoverageRequirement(tuple(after), mode)


class DatasetRequestReader:
    """Reads the common parts of requests to a dataset.

    Raises as `authorize` and `DatasetNames.id_named` do, BadRequest, SpecError.
    """

    def __init__(self, keys: KeyCache, names: DatasetNames, clock: Clock) -> None:
        self._keys = keys
        self._names = names
        self._clock = clock

    async def with_dataset_in_path(self, request: web.Request) -> DatasetRequest:
        """A request of the vendor's API."""
        key = await authorize(self._keys, request, "queries")
        dataset = await self._names.known_or_all(key, request)
        begun = self._read(request, key, dataset.id, await json_object(request))
        return replace(begun, dataset_ns=dataset.created_ns)

    async def without_dataset(self, request: web.Request, members: str) -> DatasetRequest:
        """A request of Bellwether's own API to the whole environment; `dataset` is empty.

        members: allowed in its body, for the error text.
        """
        key = await authorize(self._keys, request, "queries")
        return self._read(request, key, "", await _object(request, members))

    async def with_dataset_in_body(
        self, request: web.Request, members: str, *, or_all: bool = False
    ) -> DatasetRequest:
        """A request of Bellwether's own API. members: allowed in its body, for the error text.

        or_all: whether it may name all datasets.
        """
        key = await authorize(self._keys, request, "queries")
        body = await _object(request, members)
        name = _dataset_name(body)
        try:
            is_all = or_all and name == ALL_DATASETS
            dataset = name if is_all else await self._names.id_named(key, name)
        except BadDatasetName as error:
            raise SpecError("dataset", "invalid", str(error)) from error
        return self._read(request, key, dataset, body)

    def _read(
        self, request: web.Request, key: ApiKey, dataset: str, body: dict[str, Any]
    ) -> DatasetRequest:
        named = body.get("dataset")
        present_question().is_about(named if isinstance(named, str) else "", body)
        after = request.headers.get(AFTER_HEADER)
        return DatasetRequest(key, dataset, body, self._clock.now_ns(), after)


async def _object(request: web.Request, members: str) -> dict[str, Any]:
    body = await json_body(request)
    if not isinstance(body, dict):
        raise BadRequest(f"the body must be a JSON object: {members}")
    return body


def _dataset_name(body: dict[str, Any]) -> str:
    name = body.get("dataset")
    if name is None or name == "":
        raise SpecError("dataset", "missing", "name a dataset")
    if not isinstance(name, str):
        raise SpecError("dataset", "incorrect_type", "must be the name of a dataset, a string")
    return name


async def run_while_connected(request: web.Request, work: Coroutine[None, None, T]) -> T:
    """The result of the work, which is cancelled when the caller disconnects.

    Raises ConnectionResetError then.
    """
    task = asyncio.create_task(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=limits.HANG_UP_CHECK_S)
            if has_hung_up(request):
                raise ConnectionResetError("the caller has hung up")
        return task.result()
    finally:
        await cancel_and_wait([task])
