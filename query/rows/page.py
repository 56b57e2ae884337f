"""One page out of the shares: merged by position, each row once, no row beyond what all have told.

A share that had no room for all its rows knows nothing of what comes after the last one it gave;
rows of other shares after that one wait for the next page, so none is left out between two pages.
"""

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from common.errors import Unavailable
from query.plan.plan import RowPosition
from query.rows.request import RowsRequest
from query.share.row_search import MORE, Row, rows_of


class Page(NamedTuple):
    """Rows in their order. next: the cursor of the page after it, None after the last one."""

    rows: list[Row]
    next: str | None


def make_page(question: RowsRequest, answers: Sequence[dict[str, pa.Table]]) -> Page:
    """Merge the shares. Raises Unavailable for a share of an indexer that knows no rows yet."""
    rows: list[Row] = []
    ends: list[RowPosition] = []  # beyond these there may be rows that a share has not given
    newest = not question.oldest
    for answer in answers:
        main, more = answer["main"], answer.get(MORE)
        if more is None:
            raise Unavailable(
                "an indexer of an older version cannot give events yet: try again when every "
                "indexer runs this version"
            )
        given = rows_of(main)
        rows += given
        if given and more.column(MORE)[0].as_py():
            ends.append(given[-1].position)
    rows.sort(key=lambda row: row.position, reverse=newest)
    end = (max if newest else min)(ends) if ends else None
    kept, size = 0, 0
    for row in rows[: question.limit]:
        if end is not None and (row.position < end if newest else row.position > end):
            break
        size += len(row.data)
        if kept and size > question.bytes_max:
            break
        kept += 1
    page = rows[:kept]
    more_rows = kept < len(rows) or bool(ends)
    return Page(page, question.cursor_after(page[-1].position) if more_rows and page else None)
