"""Notes of an answer about fields of the query that no event of the dataset has."""

import asyncio
from typing import Final

from common import limits
from common.errors import BellwetherError
from common.model.names import ALL_DATASETS
from common.process.fair.requester import Requester
from query.scatter.indexer_client import IndexerClient
from query.suggest import did_you_mean, near_names
from query.wire.columns import ColumnsRequest

_NAMED_MAX: Final = 5  # names looked up for one answer: more are unlikely to be typos


class UnknownFieldNotes:
    """Queries the indexers about a field only if no event of the answer has it."""

    def __init__(self, indexers: IndexerClient) -> None:
        self._indexers = indexers

    async def missing(self, dataset: str, types: dict[str, str], requester: Requester) -> list[str]:
        """A note for each field that no event of the answer has: either no event of the dataset or
        no event of the time range has it. types: by field, the letters of its types.
        """
        unknown = await self._unknown(dataset, types, requester)
        return [
            unknown.get(name, f"no event in the time range has a field `{name}`")
            for name in sorted(types)
            if not types[name]
        ]

    async def unknown(self, dataset: str, types: dict[str, str], requester: Requester) -> list[str]:
        """A note with similar names for each field that no event of the dataset has; no notes
        if no indexer answers. types: by field, the letters of its types.
        """
        return list((await self._unknown(dataset, types, requester)).values())

    async def _unknown(
        self, dataset: str, types: dict[str, str], requester: Requester
    ) -> dict[str, str]:
        missing = sorted(name for name, held in types.items() if not held)[:_NAMED_MAX]
        if not missing or dataset == ALL_DATASETS:  # each dataset would have to be asked
            return {}
        try:
            async with asyncio.timeout(limits.UNKNOWN_FIELDS_S):
                unknown = [
                    name
                    for name in missing
                    if not (
                        await self._indexers.columns(ColumnsRequest(dataset, name=name), requester)
                    ).columns
                ]
                known = await self._names(dataset, requester) if unknown else []
        except (BellwetherError, TimeoutError):  # an indexer hangs: the answer is there without it
            return {}
        if not known:  # the dataset has no events: no note is needed
            return {}
        return {name: await asyncio.to_thread(_note, name, known) for name in unknown}

    async def _names(self, dataset: str, requester: Requester) -> list[str]:
        """The first names of the dataset, up to the number that is compared."""
        names: list[str] = []
        after: str | None = None
        while len(names) < limits.SUGGEST_NAMES_MAX:
            page = await self._indexers.columns(ColumnsRequest(dataset, after=after), requester)
            names += [column.name for column in page.columns]
            if not page.more or not page.columns:
                break
            after = names[-1]
        return names


def _note(name: str, known: list[str]) -> str:
    hint = did_you_mean(near_names(name, known))
    return f"no event has a field `{name}`" + (f"; {hint}" if hint else "")
