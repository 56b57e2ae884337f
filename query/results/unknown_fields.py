"""What an answer says of fields that it named and that no event of the dataset has."""

import asyncio
from typing import Final

from common import limits
from common.errors import BellwetherError
from query.scatter.indexer_client import IndexerClient
from query.suggest import did_you_mean, near_names
from query.wire.columns import ColumnsRequest

_NAMED_MAX: Final = 5  # names that one answer looks up: more are not misspelt one by one


class UnknownFieldNotes:
    """Asks the indexers which fields there are; only where a name has no type."""

    def __init__(self, calls: IndexerClient) -> None:
        self._calls = calls

    async def missing(self, dataset: str, types: dict[str, str]) -> list[str]:
        """A note for each field without a type in the answer's events: none has it at all, or
        only none of the time range.
        """
        unknown = await self._unknown(dataset, types)
        return [
            unknown.get(name, f"no event in the time range has a field `{name}`")
            for name in sorted(types)
            if not types[name]
        ]

    async def unknown(self, dataset: str, types: dict[str, str]) -> list[str]:
        """A note for each field without a type in the answer's events that no event has at all,
        with the names near to it. None where nobody can tell.
        """
        return list((await self._unknown(dataset, types)).values())

    async def _unknown(self, dataset: str, types: dict[str, str]) -> dict[str, str]:
        missing = sorted(name for name, held in types.items() if not held)[:_NAMED_MAX]
        if not missing:
            return {}
        try:
            found = [
                await self._calls.columns(ColumnsRequest(dataset, name=name)) for name in missing
            ]
            unknown = [name for name, page in zip(missing, found, strict=True) if not page.columns]
            known = await self._names(dataset) if unknown else []
        except BellwetherError:
            return {}
        if not known:  # a dataset without any field has no event: that says it all
            return {}
        return {name: await asyncio.to_thread(_note, name, known) for name in unknown}

    async def _names(self, dataset: str) -> list[str]:
        """The first names of the dataset, as many as are compared."""
        names: list[str] = []
        after: str | None = None
        while len(names) < limits.SUGGEST_NAMES_MAX:
            page = await self._calls.columns(ColumnsRequest(dataset, after=after))
            names += [column.name for column in page.columns]
            if not page.more or not page.columns:
                break
            after = names[-1]
        return names


def _note(name: str, known: list[str]) -> str:
    hint = did_you_mean(near_names(name, known))
    return f"no event has a field `{name}`" + (f"; {hint}" if hint else "")
