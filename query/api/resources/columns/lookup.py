"""Finds columns of a dataset: in stored events, and in what users say of them."""

from collections.abc import Collection

from common.errors import NotFound
from common.metadata import ApiKey
from query.api.resources.columns.definitions import ColumnView, shown
from query.http.access import requester_of
from query.http.column_metadata import ColumnMetadata, column_metadata
from query.http.dataset_names import DatasetNames
from query.http.pages import Cursor
from query.scatter.indexer_client import IndexerClient
from query.wire.columns import ColumnsRequest, IndexedColumn


class ColumnLookup:
    """Raises as `IndexerClient.columns` and `DatasetNames.ask` do."""

    def __init__(self, names: DatasetNames, indexers: IndexerClient) -> None:
        self._names = names
        self._indexers = indexers

    async def find(self, key: ApiKey, wanted: ColumnsRequest, known: ColumnMetadata) -> ColumnView:
        """The column of a name or an id. Raises NotFound."""
        page = await self._indexers.columns(wanted, requester_of(key))
        indexed: IndexedColumn | None = page.columns[0] if page.columns else None
        name = wanted.name if indexed is None else indexed.name
        if name is None:
            name = next(
                (one.name for one in known.definitions.values() if one.id == wanted.id), None
            )
        found = None if name is None else shown(name, indexed, known)
        if found is None:
            raise NotFound("Column not found")
        return found

    async def known(self, key: ApiKey, dataset: str) -> ColumnMetadata:
        """What metadata has of the dataset's columns."""
        return await self._names.ask(key, lambda metadata: column_metadata(metadata, dataset))

    async def resolve(self, key: ApiKey, dataset: str, cursor: Cursor) -> str:
        """The name of the column that a cursor names."""
        if cursor.sha256 is None:
            return cursor.name
        found = await self._indexers.columns(
            ColumnsRequest(dataset, after=cursor.name, sha256=cursor.sha256), requester_of(key)
        )
        if not found.columns:
            raise NotFound("the column that page[next] names is gone: begin with the first page")
        return found.columns[0].name

    async def present(self, key: ApiKey, dataset: str, wanted: Collection[str]) -> set[str]:
        """Those of these names that the dataset has as columns.

        One page of columns has them all in most datasets; what lies beyond is asked for by name.
        """
        known, requester = await self.known(key, dataset), requester_of(key)
        page = await self._indexers.columns(ColumnsRequest(dataset), requester)
        found = {one.name: one for one in page.columns}
        end = page.columns[-1].name if page.more else None
        for name in sorted(wanted):
            if end is not None and name > end:
                one = await self._indexers.columns(ColumnsRequest(dataset, name=name), requester)
                found |= {column.name: column for column in one.columns}
        return {name for name in wanted if shown(name, found.get(name), known) is not None}
