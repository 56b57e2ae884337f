"""Pages of names that fit a pattern: none is left out between them, however few fit."""

from common import limits
from indexer.serve.column_listing import _Page
from query.wire.columns import ColumnPage
from query.wire.name_pattern import NamePattern
from segment.columns import ColumnKey, FieldType
from segment.columns.names import PackedKeys

NAMES = [f"attr.{n:03d}.{'x' if n % 7 else 'Rare'}" for n in range(300)]
KEYS = PackedKeys.of(sorted(ColumnKey(name, FieldType.INT) for name in NAMES))


def page(after: str | None, size: int, pattern: str) -> ColumnPage:
    made = _Page(after, size, None, NamePattern(pattern))
    made.add(KEYS, 1, 2)
    made.add(KEYS, 3, 4)  # of another segment
    return made.build()


def test_pages_of_a_pattern_hold_every_name_that_fits_once() -> None:
    found: list[str] = []
    after = None
    while True:
        one = page(after, 10, "rare")
        found += [column.name for column in one.columns]
        assert len(one.columns) <= 10 <= limits.COLUMNS_PAGE_MAX
        if not one.more:
            break
        after = found[-1]
    assert found == [name for name in NAMES if name.endswith("Rare")]


def test_a_pattern_that_nothing_fits_gives_an_empty_last_page() -> None:
    assert page(None, 10, "nothing*") == ColumnPage([], False)


def test_what_is_known_of_a_name_is_that_of_all_segments() -> None:
    [column] = page(None, 10, "*.007.*").columns
    assert (column.types, column.first_seen_ns, column.last_seen_ns) == (["i"], 1, 4)
