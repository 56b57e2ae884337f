"""All fields of spans that were found, as JSON objects."""

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa

from query.plan.plan import RowPosition
from query.share.compute.too_heavy import too_many_span_bytes
from query.share.row_search.reader import FoundRow, RowReader, RunStatement
from query.share.sources.sources import RowSource
from query.share.spans.statements import PLACE

_ROWS_READ: Final = 1_000  # whose fields are read at once


def with_data(
    spans: pa.Table, sources: Mapping[int, Sequence[RowSource]], ask: RunStatement, bytes_max: int
) -> pa.Table:
    """The spans with a column `data` in place of their positions. Raises ShareTooHeavy."""
    columns = (spans.column(name).to_pylist() for name in ("dataset", *PLACE))
    rows = [
        FoundRow(RowPosition(*row[1:6]), 1, sources[row[0]][row[6]], row[7])
        for row in zip(*columns, strict=True)
    ]
    order = sorted(range(len(rows)), key=lambda at: (id(rows[at].source), rows[at].position))
    reader, size = RowReader(None, ask), spans.nbytes
    texts = [b""] * len(rows)
    for begin in range(0, len(rows), _ROWS_READ):
        some = order[begin : begin + _ROWS_READ]
        for at, row in zip(some, reader.read([rows[at] for at in some]), strict=True):
            text = row.text or b""
            texts[at] = text
            size += len(text)
        if size > bytes_max:
            raise too_many_span_bytes(bytes_max)
    return spans.drop_columns(list(PLACE)).append_column("data", pa.array(texts, pa.binary()))
