"""Merges shares into one page of rows by position, so that no row is left out between two pages.

A share without room for all its rows ends early. Rows of other shares after its last row are left
for the next page.
"""

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from common.errors import Unavailable
from query.plan.plan import RowPosition
from query.rows.request import RowsRequest
from query.share.row_search.search import MORE, Row, rows_of


class Page(NamedTuple):
    """Rows in the order of their positions. next: cursor of the next page, None on the last."""

    rows: list[Row]
    next: str | None


def make_page(wanted: RowsRequest, answers: Sequence[dict[str, pa.Table]]) -> Page:
    """Merge the shares. Raises Unavailable for a share of an older version that has no rows."""
    rows: list[Row] = []
    ends: list[RowPosition] = []  # last rows of shares that have more
    newest = not wanted.oldest
    for answer in answers:
        main, more = answer["main"], answer.get(MORE)
        if more is None:
            raise Unavailable(
                "an indexer of an older version cannot give events yet: try again when every "
                "indexer runs this version"
            )
        shared = rows_of(main)
        rows += shared
        if shared and more.column(MORE)[0].as_py():
            ends.append(shared[-1].position)
    rows.sort(key=lambda row: row.position, reverse=newest)
    end = (max if newest else min)(ends) if ends else None
    kept, size = 0, 0
    for row in rows[: wanted.limit]:
        if end is not None and (row.position < end if newest else row.position > end):
            break
        size += len(row.data)
        if kept and size > wanted.bytes_max:
            break
        kept += 1
    page = rows[:kept]
    more_rows = kept < len(rows) or bool(ends)
    return Page(page, wanted.cursor_after(page[-1].position) if more_rows and page else None)
