"""Which fields of a dataset are looked at."""

from dataclasses import dataclass

from common import limits
from query.differences.request import DifferencesRequest
from query.scatter.indexer_client import IndexerClient
from query.wire.columns import ColumnsRequest


@dataclass(frozen=True, slots=True)
class ChosenFields:
    """left_out: how many more there are. how: these were chosen, for a note."""

    names: tuple[str, ...]
    left_out: int = 0
    how: str = ""


class FieldChoice:
    """Lists the fields of datasets."""

    def __init__(self, indexers: IndexerClient) -> None:
        self._indexers = indexers

    async def fields(self, wanted: DifferencesRequest) -> ChosenFields:
        """The named ones, or those that fit the pattern and were indexed since the range began.

        Raises as `IndexerClient.columns` does.
        """
        if wanted.fields is not None:
            return ChosenFields(wanted.fields)
        names, after, more = list[str](), None, True
        while more:
            asked = ColumnsRequest(
                wanted.query.dataset, after, limits.COLUMNS_PAGE_MAX, pattern=wanted.match
            )
            page = await self._indexers.columns(asked, wanted.requester)
            names += [one.name for one in page.columns]
            more = page.more and bool(page.columns)
            after = page.columns[-1].name if page.columns else None
        kept = names[: limits.DIFFERENCES_FIELDS_MAX]
        return ChosenFields(
            tuple(kept), len(names) - len(kept), f"the first {len(kept):,} fields by name"
        )
