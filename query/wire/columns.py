"""Bodies about columns and datasets between a query role and an indexer; merging of answers.

Columns come in pages, in the order of their names' code points, so that a dataset with millions of
names costs neither side more memory than a page (I11).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from common import limits
from common.model.names import column_id
from common.process.versions import VersionedRequest
from query.wire.name_pattern import NamePattern


class IndexedColumn(msgspec.Struct, frozen=True):
    """A field in an indexer's data: letters of its types; when it was indexed, in unix ns."""

    name: str
    types: list[str]
    first_seen_ns: int
    last_seen_ns: int


class ColumnsRequest(VersionedRequest, frozen=True):
    """Body of `POST /internal/columns`: a page of columns, or a single column.

    after: name after which the page begins; None: at the first name.
    size: number of columns of the page.
    name, id, sha256: only the column of this name, of this id in the API, or of this SHA-256 (hex)
        of its name, which is searched after the name `after`.
    pattern: only names that match it (query.wire.name_pattern).
    """

    dataset: str
    after: str | None = None
    size: int = limits.COLUMNS_PAGE_MAX
    name: str | None = None
    id: str | None = None
    sha256: str | None = None
    pattern: str = ""


class ColumnPage(msgspec.Struct, frozen=True):
    """Columns in the order of their names. more: whether further columns follow."""

    columns: list[IndexedColumn]
    more: bool = False


class DatasetsRequest(VersionedRequest, frozen=True):
    """Body of `POST /internal/datasets`. thorough: count columns also where that takes long."""

    datasets: list[str]
    thorough: bool = False


class IndexedDataset(msgspec.Struct, frozen=True):
    """An indexer's summary of a dataset.

    last_ns: append time of its newest record, in unix ns; 0 if it has none.
    names: hashes of the names of its columns; None if they are too many to count.
    """

    last_ns: int
    names: list[int] | None


def page_of_all(columns: Sequence[IndexedColumn], wanted: ColumnsRequest) -> ColumnPage:
    """The page that an indexer of plans of version 2 sends, from all columns of an earlier one."""
    named = sorted((column for column in columns if _is_wanted(column.name, wanted)), key=_by_name)
    return ColumnPage(named[: wanted.size], len(named) > wanted.size)


def _is_wanted(name: str, wanted: ColumnsRequest) -> bool:
    if wanted.id is not None:
        return column_id(wanted.dataset, name) == wanted.id
    if wanted.sha256 is not None:
        begins = name.startswith(wanted.after or "")
        return begins and hashlib.sha256(name.encode()).hexdigest() == wanted.sha256
    if wanted.name is not None:
        return name == wanted.name
    later = wanted.after is None or name > wanted.after
    return later and NamePattern(wanted.pattern).matches(name)


def _by_name(column: IndexedColumn) -> str:
    return column.name


def merge_pages(pages: Sequence[ColumnPage], size: int) -> ColumnPage:
    """Merge the pages of several indexers into one of at most `size` columns.

    An indexer may have further names after the last one of a page with `more`. Names of other
    pages after that name are left for the next page.
    """
    end = min((page.columns[-1].name for page in pages if page.more and page.columns), default=None)
    merged: dict[str, IndexedColumn] = {}
    more = any(page.more for page in pages)
    for column in (column for page in pages for column in page.columns):
        if end is not None and column.name > end:
            continue
        known = merged.get(column.name, column)
        merged[column.name] = IndexedColumn(
            column.name,
            sorted({*known.types, *column.types}),
            min(known.first_seen_ns, column.first_seen_ns),
            max(known.last_seen_ns, column.last_seen_ns),
        )
    names = sorted(merged)
    return ColumnPage([merged[name] for name in names[:size]], more or len(names) > size)


def merge_datasets(answers: Iterable[Mapping[str, IndexedDataset]]) -> dict[str, IndexedDataset]:
    """The summaries of all indexers together, by dataset id."""
    merged: dict[str, IndexedDataset] = {}
    for answer in answers:
        for dataset, seen in answer.items():
            known = merged.get(dataset, IndexedDataset(0, []))
            names = (
                None
                if known.names is None or seen.names is None
                else sorted({*known.names, *seen.names})
            )
            merged[dataset] = IndexedDataset(max(known.last_ns, seen.last_ns), names)
    return merged
