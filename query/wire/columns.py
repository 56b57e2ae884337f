"""What a query role and an indexer say to each other about columns and datasets; merging answers.

Columns come in pages, in the order of their names' code points, so that a dataset with millions of
names costs neither side more memory than a page (I11).
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from common import limits


class IndexedColumn(msgspec.Struct, frozen=True):
    """A field as one indexer knows it: its types, and when events with it were indexed."""

    name: str
    types: list[str]
    first_seen_ns: int
    last_seen_ns: int


class ColumnsRequest(msgspec.Struct, frozen=True):
    """Columns of a dataset: a page of those after the name `after` (None: from the first one), or
    only the one of this name, of this id of the API, or of this SHA-256 (hex) of its name, which
    is looked for from the name `after` on. size: of a page, in columns. pattern: only names that
    it fits (query.wire.name_pattern).
    """

    dataset: str
    after: str | None = None
    size: int = limits.COLUMNS_PAGE_MAX
    name: str | None = None
    id: str | None = None
    sha256: str | None = None
    pattern: str = ""


class ColumnPage(msgspec.Struct, frozen=True):
    """Columns by name. more: whether there are others after them."""

    columns: list[IndexedColumn]
    more: bool = False


class DatasetsRequest(msgspec.Struct, frozen=True):
    """What is stored of these datasets? thorough: count columns also where that takes a while."""

    datasets: list[str]
    thorough: bool = False


class IndexedDataset(msgspec.Struct, frozen=True):
    """What one indexer holds of a dataset. last_ns: append time of its newest record, 0 if none;
    names: hashes of its columns' names, None where they are too many to be counted now.
    """

    last_ns: int
    names: list[int] | None


def merge_pages(pages: Sequence[ColumnPage], size: int) -> ColumnPage:
    """One page of several indexers' pages, of at most `size` columns.

    Beyond the last name of a page that goes on, that indexer may know others: those wait for the
    next page.
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
    """What all indexers together hold of each dataset."""
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
