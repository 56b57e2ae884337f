"""What was asked is shown as the text that means it, or not as a text at all."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from query.text.parser import parse_query, parse_text
from query.text.written import written

NOW_S = 1_800_000_000
TEXTS = (
    "COUNT",
    "COUNT, P99(duration_ms) AS slow WHERE status >= 500 AND name = 'a \"b\"' GROUP BY service",
    "MAX(`a field`) WHERE a IN (1, 'x', true) OR b EXISTS OR c NOT CONTAINS 'y' LAST 90s",
    "COUNT WHERE (a = 1 OR b = 2) AND c != 2.5 GROUP BY `limit`, d ORDER BY COUNT DESC, d LIMIT 5",
    "COUNT GROUP BY a HAVING COUNT > 5 SINCE 2026-01-31 UNTIL 2026-02-01 EVERY 1h",
    'COUNT SEARCH "time out" PER trace.trace_id GROUP BY a LAST 2h COMPARE 1d',
    "COUNT WHERE a STARTS-WITH 'x' LAST 1d",
    "COUNT WHERE a MATCHES 'x' AND b NOT MATCHES 'y' AND c LIKE 'a_b'",
    "COUNT WHERE NOT (a = 1 AND NOT (b = 2 AND c > 3)) OR NOT d < 4",
    "COUNT WHERE a NOT BETWEEN 1 AND 5 OR b BETWEEN 'x' AND 'y'",
    "COUNT WHERE error AS errors, COUNT, errors / COUNT AS `a``b`, `a``b` * 2 AS c",
    "COUNT PER a HAVING COUNT > 5 AND b NOT BETWEEN 1 AND 2 AND c = 'x'",
    'LET slow = $duration_ms > 500, `b c` = CONCAT($x, "y") COUNT WHERE slow GROUP BY `b c`',
    "SELECT * WHERE a = 1 LAST 1h",
    "COUNT LAST 1h BY END",
    "COUNT SINCE yesterday UNTIL today BY END EVERY 1m UNWEIGHTED",
    "COUNT AS `order` WHERE `and` = 1 AND `not` EXISTS GROUP BY `by`, `count`",
    "COUNT, COUNT WHERE status >= 500 AND a = 1 AS errors, errors / COUNT AS ratio GROUP BY a",
    "100 * SUM(`a b`) / SUM(n) AS pct, if(gt(pct, 5), 'a\"b', 'ok') AS state LAST 1h COMPARE 1d",
    "CONCURRENCY, HEATMAP(a) WHERE failed AS h, RATE_SUM(b) WHERE c = 1 OR failed = false, MAX(b) "
    "UNWEIGHTED LAST 1h",
    "COUNT AS n, n / 2 AS half GROUP BY g HAVING half > 3 ORDER BY half DESC",
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_question_is_shown_as_a_text_that_asks_the_same(text: str) -> None:
    spec = parse_text(text, NOW_S)
    shown = written(spec)
    assert shown is not None
    assert "\n" not in shown
    assert parse_text(shown, NOW_S) == spec


NAMES = st.text(min_size=1, max_size=12)
VALUES = NAMES | st.integers(-(2**53), 2**53) | st.booleans() | st.floats(allow_nan=False)
FILTERS = st.fixed_dictionaries(
    {"column": NAMES, "op": st.sampled_from(["=", "!=", ">=", "starts-with", "in"])},
    optional={"value": VALUES | st.lists(VALUES, max_size=3)},
)
SPECS = st.dictionaries(
    st.sampled_from(["filters", "breakdowns", "orders", "limit", "time_range", "formulas"]),
    st.lists(FILTERS, max_size=3) | st.lists(NAMES, max_size=3) | st.integers() | st.none(),
)


def sayable(names: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Specifications as the text form says them: every one has a text."""
    numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    scalars = VALUES_SAID | numbers | st.booleans()

    def one_of(ops: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        members = {"column": names, "op": st.sampled_from(ops), "value": values}
        return st.fixed_dictionaries(members)

    ordered = one_of([">", ">=", "<", "<="], numbers | VALUES_SAID)
    texts = ["contains", "does-not-contain", "starts-with", "does-not-end-with", "matches"]
    leaves = (
        ordered
        | one_of(["=", "!="], scalars)
        | one_of(["in", "not-in"], st.lists(scalars, min_size=1, max_size=3))
        | one_of(texts, VALUES_SAID)
        | st.fixed_dictionaries({"column": names, "op": st.sampled_from(["exists"])})
        | st.fixed_dictionaries({"op": st.just("search"), "value": st.text(min_size=1)})
    )

    def group(joined: str, inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        filters = st.lists(inner, min_size=2, max_size=3)
        return st.fixed_dictionaries({"filter_combination": st.just(joined), "filters": filters})

    def negated(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        alone = (ordered | group("AND", inner)).map(lambda one: [one])
        filters = alone | st.lists(inner, min_size=2, max_size=3)
        return st.fixed_dictionaries({"filter_combination": st.just("NONE"), "filters": filters})

    not_groups = leaves | negated(leaves)
    either, both = group("OR", not_groups), group("AND", not_groups)
    where: st.SearchStrategy[dict[str, Any]] = (
        st.lists(not_groups, min_size=1, max_size=2).map(lambda all_: {"filters": all_})
        | st.lists(not_groups | either, min_size=2, max_size=3).map(lambda all_: {"filters": all_})
        | group("OR", not_groups | both)
        | st.just({})
    )
    calculations = st.lists(
        st.fixed_dictionaries(
            {"op": st.sampled_from(["MAX", "P99", "HEATMAP", "RATE_SUM"]), "column": names},
            optional={"name": names.map("n{}".format), "filters": st.lists(leaves, min_size=1)},
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda one: one.get("name") or (one["op"], one["column"]),
    ).map(lambda all_: {"calculations": all_})
    rest = st.fixed_dictionaries(
        {},
        optional={
            "breakdowns": st.lists(names, min_size=1, max_size=3, unique=True),
            "limit": st.integers(1, 1000),
            "granularity": st.integers(1, 10**6),
            "per": names,
            "usage_mode": st.just(True),
            "compare_time_offset_seconds": st.integers(1, 10**7),
        },
    )
    ranges = st.sampled_from(
        [
            {},
            {"time_range": 90},
            {"time_range": 7200, "time_axis": "end"},
            {"start_time": NOW_S - 61, "end_time": NOW_S - 1, "time_axis": "start"},
            {"time_range": 3600, "end_time": NOW_S},
        ]
    )
    return st.tuples(calculations, where, rest, ranges).map(
        lambda parts: {name: value for part in parts for name, value in part.items()}
    )


VALUES_SAID = st.text(max_size=8) | st.sampled_from(["1", "true", "null", "AND", "a\nb", '"'])
NAMES_SAID = st.text(min_size=1, max_size=8) | st.sampled_from(["a.b", "where", "by", "5", "count"])


@settings(max_examples=80)
@given(sayable(NAMES_SAID), st.none() | st.just("__all__") | NAMES_SAID)
def test_what_the_text_form_can_say_is_written(spec: dict[str, Any], dataset: str | None) -> None:
    shown = written(spec, dataset)
    assert shown is not None
    assert parse_query(shown, NOW_S * 10**9) == (spec, dataset)


@pytest.mark.parametrize("value", [2**63, 2**64 - 1, 18446744073709552000, -(2**63) - 1, 10**30])
def test_whole_numbers_beyond_64_bits_are_said_as_the_doubles_that_are_stored(value: int) -> None:
    shown = written({"filters": [{"column": "a", "op": "in", "value": [value, 1]}]})
    assert shown is not None
    (read,) = parse_text(shown, NOW_S)["filters"]
    assert read["value"] == [float(value), 1]


def test_what_is_meant_anyway_needs_no_words() -> None:
    said: dict[str, Any] = {
        "calculations": [], "filters": [], "filter_combination": "AND", "breakdowns": ["a"],
        "start_time": 100, "time_range": 50,
    }  # fmt: skip
    shown = "COUNT GROUP BY a SINCE 1970-01-01T00:01:40Z UNTIL 1970-01-01T00:02:30Z"
    assert written(said) == shown


@given(SPECS)
def test_whatever_was_sent_is_shown_as_what_it_means_or_not_at_all(spec: dict[str, Any]) -> None:
    shown = written(spec)
    if shown is not None:
        meant = {name: value for name, value in spec.items() if value != []}
        assert parse_text(shown, NOW_S) == {"calculations": [{"op": "COUNT"}], **meant}
