"""Field names with a prefix that may mean a relation between spans: `root.name`, `parent.id`.

A stored field of exactly that name takes precedence. Where the dataset has none, the prefix is the
vendor's relation, which is refused by name until it is supported; it is never answered as if the
field were missing.
"""

from typing import Final

from common.errors import BellwetherError
from common.model.names import ALL_DATASETS
from common.process.fair.requester import Requester
from query.faults import SpecError
from query.scatter.indexer_client import IndexerClient
from query.wire.columns import ColumnsRequest

_PREFIXES: Final = ("root.", "parent.", "child.", "any.", "any2.", "any3.", "none.")


class SpanRelations:
    """Queries the indexers about a field only if it has such a prefix and no event has it."""

    def __init__(self, indexers: IndexerClient) -> None:
        self._indexers = indexers

    async def refuse(self, dataset: str, types: dict[str, str], requester: Requester) -> None:
        """Raises SpecError if a field means a relation.

        types: by field, the letters of its types; empty if no event has it. If no indexer
        answers, the field is assumed to be stored.
        """
        for name in sorted(types):
            if types[name] or not name.startswith(_PREFIXES):
                continue
            if not await self._is_stored(dataset, name, requester):
                prefix = name.split(".", 1)[0]
                why = f"relational fields ({prefix}.) are not supported yet"
                raise SpecError("", "invalid", f"{why}, and no event has a field `{name}`")

    async def _is_stored(self, dataset: str, name: str, requester: Requester) -> bool:
        if dataset == ALL_DATASETS:  # no event of the answer has it
            return False
        try:
            page = await self._indexers.columns(ColumnsRequest(dataset, name=name), requester)
        except BellwetherError:
            return True
        return bool(page.columns)
