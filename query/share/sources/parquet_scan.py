"""The one place where files become SQL: a Parquet scan of leased segments.

A database may read every segment of this indexer, so that this module decides what a statement
reads. It takes segments of leased views, never a text of a plan, and refuses a file that is not
named after its segment's object.
"""

import re
from collections.abc import Iterable
from typing import Final

from common.errors import BellwetherError
from query.share.view.view import SegmentView

_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


def parquet_scan(segments: Iterable[SegmentView], *, row_numbers: bool = False) -> str:
    """The table function over the files of these segments. row_numbers: with `file_row_number`.

    Raises BellwetherError.
    """
    files = ", ".join(map(_file, segments))
    options = "hive_partitioning=false" + (", file_row_number=true" if row_numbers else "")
    return f"read_parquet([{files}], {options})"


def quote_text(text: str) -> str:
    """A SQL string literal. Only for paths of this program's own; users' values are bound."""
    return "'" + text.replace("'", "''") + "'"


def _file(segment: SegmentView) -> str:
    name = segment.path.name
    if not _HASH.fullmatch(segment.object_hash) or name != f"{segment.object_hash}.parquet":
        raise BellwetherError(f"not a file of segment {segment.object_hash}: {name}")
    return quote_text(str(segment.path))
