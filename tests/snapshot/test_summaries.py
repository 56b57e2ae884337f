"""Which segments get a summary: each of which nothing else tells what its fields hold."""

import msgspec
import pytest

from common import limits
from snapshot.summaries import SUMMARY_ROWS_MIN, may_have_summary
from tests.snapshot.test_objects_of import entry

LARGE = limits.FIELD_FACTS_SEGMENT_BYTES + 1


@pytest.mark.parametrize(
    ("rows", "size_bytes", "pack", "expected"),
    [
        (SUMMARY_ROWS_MIN, 1, "", True),
        (SUMMARY_ROWS_MIN - 1, LARGE - 1, "", False),  # read whole for a list of fields
        (1, LARGE, "", True),
        (SUMMARY_ROWS_MIN, LARGE - 1, "p", False),
    ],
)
def test_a_segment_has_a_summary_unless_it_is_small(
    rows: int, size_bytes: int, pack: str, expected: bool
) -> None:
    one = msgspec.structs.replace(entry("s", 0, rows), size_bytes=size_bytes, pack=pack)
    assert may_have_summary(one) is expected
