"""Events as tables, trees and CSV: the same values, cut only where a person looks."""

import csv
import io
import json
from typing import Any, cast

import click
import msgspec
import pytest

from bellwether.answers.rows import csv_lines, table
from bellwether.answers.rows.cells import cut, one_line, width
from bellwether.answers.rows.empty import why_empty
from bellwether.answers.rows.fields_table import share_text
from bellwether.answers.rows.pages import Event, Page, event_of
from bellwether.answers.rows.tree import tree_lines
from bellwether.client.caller import Caller
from bellwether.commands.ask.rows import named_fields, read_conditions, read_events_text


def event(data: dict[str, Any] | str, rate: int = 1, time: str = "2026-01-31T12:00:00Z") -> Event:
    text = data if isinstance(data, str) else json.dumps(data)
    row = f'{{"time":"{time}","samplerate":{rate},"data":{text}}}'
    return event_of(msgspec.Raw(row.encode()))


def shown_table(events: list[Event], columns: int, fields: list[str] | None = None) -> list[str]:
    layout = table.plan_layout(events, columns, fields)
    lines = [table.heading(layout), *(table.line(one, layout) for one in events)]
    return [*lines, table.footing(layout)]


def test_numbers_keep_their_digits_in_every_form() -> None:
    one = event('{"big":9223372036854775807,"half":0.50,"deep":{"n":[1.50,36893488147419103232]}}')
    assert "9223372036854775807" in shown_table([one], 200)[1]
    assert "0.50" in shown_table([one], 200)[1]
    assert csv_lines.line(one, ["big", "half"]).endswith(",9223372036854775807,0.50\n")
    tree = "\n".join(tree_lines(one))
    assert "9223372036854775807" in tree
    assert "[1.50, 36893488147419103232]" in tree


def test_a_table_never_is_wider_than_the_terminal() -> None:
    rows = [
        {f"field{n}": "x" * n * 7 for n in range(30)} | {"message": "m" * 400, "日本": "語" * 90}
    ]
    for columns in (40, 60, 80, 133, 250):
        lines = shown_table([event(row) for row in rows], columns)
        assert all(width(line) <= columns for line in lines[:-1]), columns


def test_a_table_shows_telling_fields_first_and_names_the_others() -> None:
    events = [
        event(
            {
                "trace.trace_id": f"{n:032x}",
                "always": "same",
                "status": 200 + n,
                "message": f"done {n}",
                "rare" if n == 1 else "common": n,
            }
        )
        for n in range(4)
    ]
    head, *_, foot = shown_table(events, 50)
    assert head.split()[:3] == ["time", "message", "status"]
    assert {"trace.trace_id", "rare"} <= set(foot.replace(",", " ").split())
    assert len(head.split()) + int(foot.split()[0]) == 1 + 6  # each field has one or the other
    assert shown_table(events, 100_000)[-1] == ""


def test_fields_that_are_asked_for_stand_in_their_order_with_dashes_where_they_are_missing() -> (
    None
):
    head, line, _ = shown_table([event({"b": 2})], 80, ["b", "a"])
    assert head.split() == ["time", "b", "a"]
    assert line.split()[-2:] == ["2", "–"]


def test_control_characters_of_an_event_move_no_cursor() -> None:
    one = event({"a\nb": "x\x1b[2J\ty"})
    text = "\n".join([*shown_table([one], 200), *tree_lines(one)])
    assert "\x1b" not in text
    assert "\t" not in text
    assert "a\\nb" in text


def test_a_tree_groups_dotted_names_and_unfolds_json() -> None:
    one = event(
        {
            "http.request.method": "GET",
            "http.status": 500,
            "http": "a value beside its parts",
            "alone.of.its.kind": True,
            "items": [{"id": 1, "tags": ["a", "b"] * 40}],
        },
        rate=10,
    )
    assert "\n".join(tree_lines(one)) == "\n".join(
        [
            "2026-01-31T12:00:00Z  (stands for 10 events)",
            "├─ http               a value beside its parts",
            "│  ├─ request.method  GET",
            "│  └─ status          500",
            "├─ alone.of.its.kind  true",
            "└─ items",
            "   └─ [0]",
            "      ├─ id  1",
            "      └─ tags  [" + ('"a", "b", ' * 40)[:197] + "…  (80 items)",
        ]
    )


def test_a_tree_shows_the_lines_of_a_stack_trace_and_says_what_it_cuts() -> None:
    lines = list(tree_lines(event({"stack": "one\ntwo\n" + "x" * 1_000_000})))
    assert lines[1:4] == ["└─ stack", "     one", "     two"]
    assert "1,000,008 characters in all: --json shows them" in lines[-1]
    assert sum(map(len, lines)) < 10_000


def test_an_event_without_fields_is_a_tree_too() -> None:
    assert list(tree_lines(event({})))[1] == "└─ (no fields)"


def test_csv_reads_back_as_it_was_written() -> None:
    values: dict[str, Any] = {
        "comma": "a,b",
        "quote": 'say "x"',
        "lines": "a\nb\r\nc",
        "blank": " x ",
        "formula": "=1+1",
        "unicode": "日本語 🎉",
        "json": {"k": [1]},
        "yes": True,
        'n, "odd"': 1.5,
    }
    fields = sorted(values)
    text = csv_lines.header(fields) + csv_lines.line(event(values), fields)
    [row] = csv.DictReader(io.StringIO(text, newline=""))
    assert row["lines"] == "a\nb\r\nc"
    assert row["json"] == '{"k": [1]}'
    assert {name: row[name] for name in fields if isinstance(values[name], str)} == {
        name: value for name, value in values.items() if isinstance(value, str)
    }
    assert (row["yes"], row['n, "odd"'], row["time"]) == ("true", "1.5", "2026-01-31T12:00:00Z")


def test_csv_tells_an_empty_text_from_a_missing_field_and_keeps_names_apart() -> None:
    spool = csv_lines.Spool()
    for data in ({"a": "", "time": 5}, {"b": 1}):
        spool.add(msgspec.Raw(json.dumps({"time": "T", "samplerate": 2, "data": data}).encode()))
    assert "".join(spool.lines()) == 'event.time,samplerate,a,b,time\nT,2,"",,5\nT,2,,1,\n'


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ((), None),
        (("a,b", "c", "a"), ("a", "b", "c")),
        (("`a,b`,c",), ("a,b", "c")),
        ((" a , b ,",), ("a", "b")),
    ],
)
def test_names_of_fields_are_split_at_commas(
    given: tuple[str, ...], names: tuple[str, ...] | None
) -> None:
    assert named_fields(given) == names


def test_texts_are_cut_by_the_columns_they_take() -> None:
    assert cut("語語語", 5) == "語語…"
    assert cut("abc", 3) == "abc"
    assert one_line("a" * 10**6, 10) == "a" * 9 + "…"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1e-9, "<0.1 %"), (0.5, "50.0 %"), (0.9999999, "99.9 %"), (1, "100 %")],
)
def test_a_share_that_is_not_all_is_not_shown_as_all(share: float, text: str) -> None:
    assert share_text(share) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("COUNT GROUP BY x", "`bellwether query` calculates"),
        ("LAST 1h ORDER BY time", "--oldest"),
        ("FROM other LAST 1h", "another dataset"),
        ("status >= 500", "WHERE"),
    ],
)
def test_a_text_that_asks_for_no_events_is_told_what_to_type(text: str, told: str) -> None:
    with pytest.raises(click.ClickException) as caught:
        read_events_text(text, "web")
    assert told in caught.value.message


def test_a_text_has_conditions_and_a_range_with_or_without_select() -> None:
    some = {"column": "a", "op": "=", "value": 1}
    for begin in ("", "SELECT * ", "FROM web "):
        text = f"{begin}WHERE a = 1 LAST 1h"
        assert read_events_text(text, "web") == {"filters": [some], "time_range": 3_600}
    assert read_events_text("  ", "web") == {}
    assert read_conditions("WHERE a = 1", "web") == {"filters": [some]}
    with pytest.raises(click.ClickException, match="as they come"):
        read_conditions("WHERE a = 1 LAST 1h", "web")


@pytest.mark.parametrize("newest", [None, "2026-01-30T00:00:00Z"])
def test_an_answer_that_lacks_partitions_does_not_say_that_there_is_no_event(
    newest: str | None,
) -> None:
    def said(complete: bool) -> str:
        page = Page(
            [], "2026-01-31T00:00:00Z", "2026-01-31T02:00:00Z", None, {"complete": complete}, [],
            newest,
        )  # fmt: skip
        question = {"dataset": "web", "time_range": 7200}
        return "\n".join(why_empty(cast(Caller, None), question, page))

    assert "in what could be asked" in said(False)
    assert "none yet" not in said(False)
    assert "in what could be asked" not in said(True)
