"""docs/events.md is true: its limits are the code's, its table is what scanner and shredder do."""

import json
import re
from pathlib import Path

import pytest

from common import limits
from common.model.record_value import encode_event_line
from common.scan import fast_json, json_events
from common.scan.events import Accepted, Refused
from indexer.shred import ShredInput
from indexer.shred.reference import ReferenceShredder

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
LIMITS = re.findall(r"^\| `([A-Z_]+_MAX)` \| ([\d,]+) \|", PAGE, re.MULTILINE)
ROWS = re.findall(r"^\| `(.+?)` \| (\d+) \| `(.+?)` \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("name", "value"), LIMITS)
def test_limits_of_the_page_are_those_of_the_code(name: str, value: str) -> None:
    assert getattr(limits, name) == int(value.replace(",", ""))


def test_the_page_has_its_tables() -> None:
    assert len(LIMITS) >= 11
    assert len(ROWS) >= 29


@pytest.mark.parametrize("split", [fast_json.split_batch, json_events.split_batch])
@pytest.mark.parametrize(("data", "depth", "expected"), ROWS)
def test_every_row_of_the_semantics_table_holds(
    split: object, data: str, depth: str, expected: str
) -> None:
    body = f'[{{"data":{data}}}]'.encode()
    (outcome,) = split(body, int(depth), 1)  # type: ignore[operator]  # one of the two splitters
    if not expected.startswith("{"):
        assert isinstance(outcome, Refused)
        assert outcome.rule == expected
        return
    assert isinstance(outcome, Accepted)
    line = encode_event_line(outcome.time_ns, outcome.rate, outcome.data)
    shredded = ReferenceShredder().shred([ShredInput(0, 1, int(depth), line)])
    assert not shredded.quarantined
    columns = {
        f"{key.field}:{key.type.value}": column.values.to_pylist()[0]
        for key, column in shredded.block.columns.items()
        if len(column.rows)
    }
    assert repr(columns) == repr(json.loads(expected))
