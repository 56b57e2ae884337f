"""Names that may mean a relation between spans: `root.name`, `parent.id`.

The rule: a stored field of exactly that name is what is meant. Where the dataset has none, the
prefix is the vendor's relation, which is refused by name until it is supported; never answered as
if the field were missing.
"""

from typing import Final

from common.errors import BellwetherError
from query.faults import SpecError
from query.scatter.indexer_client import IndexerClient
from query.wire.columns import ColumnsRequest

_PREFIXES: Final = ("root.", "parent.", "child.", "any.", "any2.", "any3.", "none.")


class SpanRelations:
    """Asks the indexers for a field only where a name has such a prefix and no event had it."""

    def __init__(self, calls: IndexerClient) -> None:
        self._calls = calls

    async def refuse(self, dataset: str, types: dict[str, str]) -> None:
        """types: of the fields that a question named, empty where no event had it. Raises
        SpecError for a relation. Where nobody can tell now, the field is taken to be stored.
        """
        for name in sorted(types):
            if types[name] or not name.startswith(_PREFIXES):
                continue
            try:
                page = await self._calls.columns(ColumnsRequest(dataset, name=name))
            except BellwetherError:
                continue
            if not page.columns:
                prefix = name.split(".", 1)[0]
                why = f"relational fields ({prefix}.) are not supported yet"
                raise SpecError("", "invalid", f"{why}, and no event has a field `{name}`")
