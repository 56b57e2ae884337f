"""A comparison as people and programs see it; an answer as an Arrow stream."""

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pytest
from click.testing import CliRunner

from bellwether.answers.results.arrow_stream import write_arrow
from bellwether.answers.results.compared import change
from bellwether.commands.ask.query import query
from query.text.parser import parse_text
from query.tokens.errors import QueryTextError
from tests.bellwether.answers.results.test_answers import START_S, answer, formatted, shown

DAY_S = 86_400
BEFORE = {
    "offset_s": DAY_S,
    "range": {"start_time": START_S - DAY_S, "end_time": START_S - DAY_S + 240, "granularity": 60},
    "data": {
        "results": [{"data": {"k": "a", "COUNT": 4}}, {"data": {"k": "c", "COUNT": 9}}],
        "series": [
            {"time": "2019-12-31T00:00:00Z", "data": {"k": "a", "COUNT": 1}},
            {"time": "2019-12-31T00:03:00Z", "data": {"k": "a", "COUNT": 3}},
        ],
    },
    "only_now": [{"k": "b"}],
    "only_before": [{"k": "c"}],
    "coverage": {"complete": True, "partitions": [{"complete": True}]},
    "notes": ["an older note"],
}


def compared() -> dict[str, Any]:
    return answer(
        [{"k": "a", "COUNT": 6}, {"k": "b", "COUNT": 2}],
        [(0, {"k": "a", "COUNT": 6}), (1, {"k": "b", "COUNT": 2})],
        compare=BEFORE,
    )


def test_each_value_stands_beside_the_earlier_one_with_its_change() -> None:
    head = shown(compared(), ["k"]).splitlines()[0]
    assert " ".join(head.split()) == "k COUNT 1d before change COUNT over time 1d before"
    lines = [line.split() for line in shown(compared(), ["k"]).splitlines()]
    assert lines[1][:5] == ["a", "6", "4", "+50.0%", "█▁▁▁"]
    assert lines[1][5][0] < lines[1][5][3] < "█"  # 1, nothing, nothing, 3, on the scale of 6
    assert lines[2][:4] == ["b", "2", "–", "new"]
    assert lines[3][:4] == ["c", "–", "9", "gone"]
    assert "note: 1d before: an older note" in shown(compared(), ["k"])


@pytest.mark.parametrize(
    ("now", "before", "told"),
    [
        (6, 4, "+50.0%"),
        (4, 6, "-33.3%"),
        (-4, -2, "-100.0%"),
        (5.0, 5, "same"),
        (5, 0, ""),
        (None, 3, ""),
        ("x", 3, ""),
        (10**9, 2, "500,000,000x"),
    ],
)
def test_a_change_is_told_in_parts_of_the_earlier_value(
    now: object, before: object, told: str
) -> None:
    assert change(now, before, has_now=True, has_before=True) == told


def test_programs_get_both_values_of_each_group_and_step() -> None:
    rows = list(csv.reader(formatted(compared(), ["k"], "csv")))
    assert rows == [
        ["k", "COUNT", "COUNT 1d before"], ["a", "6", "4"], ["b", "2", ""], ["c", "", "9"],
    ]  # fmt: skip
    first = json.loads(formatted(compared(), ["k"], "ndjson")[0])
    assert first == {"k": "a", "COUNT": 6, "COUNT 1d before": 4}
    steps = [json.loads(line) for line in formatted(compared(), ["k"], "ndjson", series=True)]
    assert [(s["time"], s["k"], s["COUNT"], s["COUNT 1d before"]) for s in steps] == [
        ("2020-01-01T00:00:00Z", "a", 6, 1),
        ("2020-01-01T00:01:00Z", "b", 2, None),
        ("2020-01-01T00:03:00Z", "a", None, 3),
    ]


def test_an_arrow_stream_has_typed_columns() -> None:
    rows = [
        {"k": "a", "whole": 2**60 + 1, "real": 1, "flag": True, "mixed": "x"},
        {"k": None, "whole": None, "real": 0.5, "flag": False, "mixed": 7},
    ]
    out = io.BytesIO()
    write_arrow(answer(rows), ["k"], out, series=False)
    made = pa.ipc.open_stream(out.getvalue()).read_all()
    kinds = [pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.string()]
    assert made.schema.types == kinds
    assert made.to_pylist() == [
        {"k": "a", "whole": 2**60 + 1, "real": 1.0, "flag": True, "mixed": '"x"'},
        {"k": None, "whole": None, "real": 0.5, "flag": False, "mixed": "7"},
    ]
    out = io.BytesIO()
    write_arrow(answer([], [(1, {"COUNT": 3})]), [], out, series=True)
    (row,) = pa.ipc.open_stream(out.getvalue()).read_all().to_pylist()
    assert row == {"time": datetime(2020, 1, 1, 0, 1, tzinfo=UTC), "COUNT": 3}


def test_a_program_reads_the_stream_from_standard_output() -> None:
    code = (
        "from bellwether.answers.results.print_answer import print_answer\n"
        "print_answer({'data': {'results': [{'data': {'COUNT': 5}}]}}, [], 'arrow')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert pa.ipc.open_stream(done.stdout).read_all().to_pylist() == [{"COUNT": 5}]


def test_formats_have_options_of_their_own() -> None:
    for option in ("--csv", "--json", "--arrow"):
        done = CliRunner().invoke(query, ["web", "COUNT", option, "--explain"])
        assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("text", "offset_s"),
    [
        ("COUNT COMPARE 1d", DAY_S),
        ("COUNT LAST 2h COMPARE WITH 1 week AGO GROUP BY k", 7 * DAY_S),
        ("COUNT compare to 90s earlier", 90),
    ],
)
def test_a_text_names_how_much_earlier_the_compared_range_is(text: str, offset_s: int) -> None:
    assert parse_text(text, START_S)["compare_time_offset_seconds"] == offset_s


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("COUNT COMPARE", "expected a duration like 1h, 1d or 1w"),
        ("COUNT COMPARE yesterday", "expected a duration"),
        ("COUNT COMPARE 1d COMPARE 2d", "there is a second COMPARE"),
        ("* COMPARE 1d", "events have no groups"),
    ],
)
def test_a_comparison_that_is_none_is_refused_with_a_mark(text: str, why: str) -> None:
    with pytest.raises(QueryTextError) as refused:
        parse_text(text, START_S)
    assert why in str(refused.value)
    assert "^" in str(refused.value)
