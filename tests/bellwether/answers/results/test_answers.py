"""An answer in every format: keys and digits as they are stored, null, missing and empty apart."""

import csv
import io
import json
from typing import Any
from zoneinfo import ZoneInfo

import click
import pytest
from rich.console import Console

from bellwether.answers.results.cells import show, show_keys
from bellwether.answers.results.formats import format_lines
from bellwether.answers.results.notes import groups_line, notes
from bellwether.answers.results.print_answer import print_answer
from bellwether.answers.results.view import render

START_S = 1_577_836_800  # 2020-01-01


def answer(
    rows: list[dict[str, Any]],
    series: list[tuple[int, dict[str, Any]]] | None = None,
    calculations: list[dict[str, Any]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    times = [f"2020-01-01T00:{minute:02d}:00Z" for minute in range(60)]
    return {
        "query": {"calculations": calculations or [{"op": "COUNT"}]},
        "data": {
            "results": [{"data": row} for row in rows],
            "series": [{"time": times[m], "data": row} for m, row in series or []],
        },
        "range": {"start_time": START_S, "end_time": START_S + 240, "granularity": 60},
        "coverage": {"complete": True, "partitions": [{"complete": True}]},
        **more,
    }


def shown(document: dict[str, Any], breakdowns: list[str], **more: Any) -> str:
    out = io.StringIO()
    Console(file=out, width=400).print(render(document, breakdowns, **more))
    return out.getvalue()


def formatted(
    document: dict[str, Any], breakdowns: list[str], form: str, series: bool = False
) -> list[str]:
    return list(format_lines(document, breakdowns, form, series=series))


KEYS = [8080, 1_700_000_000, 0.5, 1e20, "8,080", True, None, "", " a", "true", "–", "a\nb"]
SHOWN = ["8080", "1700000000", "0.5", "1e+20", "8,080", "true", "–", '""', '" a"', '"true"', '"–"',
         "a\\nb"]  # fmt: skip


def test_keys_of_groups_are_printed_as_they_are_stored() -> None:
    assert show_keys(KEYS) == SHOWN
    assert show_keys(["200", "201"]) == ["200", "201"]  # no quotes where nothing is unclear
    assert show_keys(["200", 200]) == ['"200"', "200"]
    table = shown(answer([{"port": key, "COUNT": 12345} for key in KEYS]), ["port"])
    lines = table.splitlines()
    assert lines[1].split() == ["8080", "12,345"]
    assert lines[2].split() == ["1700000000", "12,345"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234567.0, "1,234,567"), (0.1 + 0.2, "0.3"), (1e300, "1e+300"), (1e-9, "1e-09"), (0.0, "0"),
     (-5, "-5"), (10**18, "1,000,000,000,000,000,000")],
)  # fmt: skip
def test_values_of_calculations_are_shown_for_people(value: object, text: str) -> None:
    assert show(value) == text


def test_csv_keeps_digits_and_tells_texts_numbers_and_missing_apart() -> None:
    rows = [{"k": key, "AVG(x)": 0.1 + 0.2} for key in ["200", 200, True, "", None, 'a"b,c\nd']]
    rows[1]["AVG(x)"] = None  # type: ignore[assignment]
    document = answer(rows, calculations=[{"op": "AVG", "column": "x"}])
    lines = formatted(document, ["k"], "csv")
    assert lines == [
        "k,AVG(x)",
        '"200",0.30000000000000004',
        "200,",
        "true,0.30000000000000004",
        '"",0.30000000000000004',
        ",0.30000000000000004",
        '"a""b,c\nd",0.30000000000000004',
    ]
    read = list(csv.DictReader(io.StringIO("\n".join(lines), newline="")))
    assert [row["k"] for row in read] == ["200", "200", "true", "", "", 'a"b,c\nd']


def test_names_of_columns_are_quoted_in_csv_where_they_must_be() -> None:
    document = answer([{'a,"b': 1, "COUNT": 2}])
    assert formatted(document, ['a,"b'], "csv") == ['"a,""b",COUNT', "1,2"]


def test_json_lines_are_the_rows_as_they_came() -> None:
    rows = [{"k": None, "COUNT": 2**63 - 1}, {"k": "é\n", "COUNT": 1}]
    lines = formatted(answer(rows), ["k"], "ndjson")
    assert [json.loads(line) for line in lines] == rows


def test_markdown_is_one_table_whatever_the_values_hold() -> None:
    rows = [{"k": "a|b\n<c>", "COUNT": 1234567}, {"k": None, "COUNT": 1}]
    assert formatted(answer(rows), ["k"], "markdown") == [
        "| k | COUNT |",
        "| --- | ---: |",
        "| a\\|b\\\\n&lt;c> | 1234567 |",
        "|  | 1 |",
    ]


@pytest.mark.parametrize("form", ["csv", "markdown"])
def test_an_answer_without_rows_still_has_its_columns(form: str) -> None:
    head = formatted(answer([]), ["k"], form)[0]
    assert head.replace("|", "").replace(",", " ").split() == ["k", "COUNT"]


def test_every_step_is_printed_with_its_time() -> None:
    series = [(0, {"k": "a", "COUNT": 5}), (0, {"k": "b", "COUNT": 1}), (2, {"k": "a", "COUNT": 0})]
    document = answer([{"k": "a", "COUNT": 5}], series)
    assert formatted(document, ["k"], "csv", series=True) == [
        "time,k,COUNT",
        '"2020-01-01T00:00:00Z","a",5',
        '"2020-01-01T00:00:00Z","b",1',
        '"2020-01-01T00:02:00Z","a",0',
    ]
    table = shown(document, ["k"], series=True, zone=ZoneInfo("Europe/Berlin"))
    assert table.splitlines()[1].split() == ["2020-01-01T01:00:00+01:00", "a", "5"]
    lines = formatted(document, ["k"], "ndjson", series=True)
    assert json.loads(lines[2]) == {
        "time": "2020-01-01T00:02:00Z", "data": {"k": "a", "COUNT": 0},
    }  # fmt: skip


def test_a_field_called_time_does_not_hide_the_time_of_the_step() -> None:
    document = answer([], [(0, {"time": "noon", "COUNT": 5})])
    assert formatted(document, ["time"], "csv", series=True) == [
        "step_time,time,COUNT",
        '"2020-01-01T00:00:00Z","noon",5',
    ]


def test_graphs_tell_their_range_scale_and_largest_value() -> None:
    series = [
        (0, {"k": "a", "COUNT": 4000}),
        (2, {"k": "a", "COUNT": 1}),
        (0, {"k": "b", "COUNT": 2000}),
    ]
    document = answer([{"k": "a", "COUNT": 4001}, {"k": "b", "COUNT": 2000}], series)
    lines = shown(document, ["k"]).splitlines()
    assert lines[1].split() == ["a", "4,001", "█▁▂▁", "4,000"]
    assert lines[2].split() == ["b", "2,000", "▅▁▁▁", "2,000"]
    assert lines[3].strip() == (
        "COUNT over time: 2020-01-01T00:00:00Z to 2020-01-01T00:04:00Z, 4 steps of 1m; "
        "the highest bar is 4,000; one scale for all groups"
    )


def test_what_no_event_has_is_a_gap_unless_it_is_counted() -> None:
    series = [(0, {"MAX(x)": 5}), (1, {"MAX(x)": None}), (2, {"MAX(x)": 0}), (3, {"MAX(x)": 1})]
    document = answer([{"MAX(x)": 5}], series, [{"op": "MAX", "column": "x"}])
    assert "█ ▁▂" in shown(document, [])


def test_means_are_weighed_by_the_events_that_they_are_of() -> None:
    steps = [{"AVG(x)": 10.0, "COUNT(x)": 99}, {"AVG(x)": 110.0, "COUNT(x)": 1}]
    series = [(m, steps[m % 2]) for m in range(60)]
    calculations = [{"op": "AVG", "column": "x"}, {"op": "COUNT", "column": "x"}]
    document = answer([{"AVG(x)": 11.0, "COUNT(x)": 3000}], series, calculations)
    document["range"]["end_time"] = START_S + 64 * 60
    assert "weighted by COUNT; the highest bar is 11\n" in shown(document, [])
    assert "a bar is 2 of them, their mean, weighted by COUNT" in shown(document, [])


GROUPS = {"total": 886, "returned": 100, "all": {"COUNT": 99_999}, "other": {"COUNT": 12_345}}


def test_groups_that_are_not_listed_are_counted_and_told() -> None:
    line = "first 100 of 886 groups; other: COUNT 12,345; total: COUNT 99,999 (LIMIT shows more)"
    assert groups_line({"groups": GROUPS}) == line
    assert line in shown(answer([{"k": 1, "COUNT": 5}], groups=GROUPS), ["k"])
    assert groups_line({"groups": {**GROUPS, "total": 100}}) == ""
    assert groups_line({"groups": {**GROUPS, "all": {}, "other": {}}}) == (
        "first 100 of 886 groups (LIMIT shows more)"
    )
    assert groups_line({}) == ""


def test_programs_get_rows_on_stdout_and_remarks_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    missing = {"complete": False, "reason": "no indexer"}
    coverage = {"complete": False, "partitions": [missing, {"complete": True, "end_offset": 5}]}
    document = answer(
        [{"k": 1, "COUNT": 5}], groups=GROUPS, notes=["odd\x1b[2J"], coverage=coverage
    )
    print_answer(document, ["k"], "csv")
    out, err = capsys.readouterr()
    assert out == "k,COUNT\n1,5\n"
    assert "first 100 of 886 groups" in err
    assert "note: odd\\x1b[2J" in err
    assert "INCOMPLETE: 1 of 2 partitions (no indexer)" in err
    assert notes(answer([])) == []
    print_answer(document, ["k"], "json")
    assert json.loads(capsys.readouterr().out) == document


@pytest.mark.parametrize("form", ["table", "csv", "markdown", "ndjson"])
def test_a_count_of_nothing_that_could_be_asked_is_no_answer(form: str) -> None:
    missing = {"complete": False, "reason": "no indexer answered for it"}
    coverage = {"complete": False, "partitions": [missing, missing]}
    with pytest.raises(click.ClickException, match="0 of 2 partitions"):
        print_answer(answer([{"COUNT": 0}], coverage=coverage), [], form)
