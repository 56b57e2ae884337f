"""Every fault of a specification names its field; what is right is read as it was meant."""

from typing import Any

import pytest

from query.faults import SpecError
from query.plan.parts.conditions import Filter, FilterOp, filter_fields
from query.plan.planner import build_request
from query.plan.read.spec import read_spec
from query.plan.spec import Calculation, Order, QuerySpec

NOW_NS = 1_700_000_000 * 10**9 + 5


EXISTS = {"column": "a", "op": "exists"}


def nested(depth: int) -> dict[str, Any]:
    """A condition within that many groups."""
    found: dict[str, Any] = EXISTS
    for _ in range(depth):
        found = {"filters": [found]}
    return found


def counted(name: str, conditions: int) -> dict[str, Any]:
    """A calculation with so many conditions."""
    return {"op": "COUNT", "name": name, "filters": [EXISTS] * conditions}


def matching(name: str, pattern: str) -> dict[str, Any]:
    one = {"column": "a", "op": "matches", "value": pattern}
    return {"op": "COUNT", "name": name, "filters": [one]}


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ([], "must be an object: a query"),
        ({"calculations": {}}, "calculations: must be an array"),
        ({"calculations": [{}]}, "calculations[0].op: cannot be blank"),
        ({"calculations": [{"op": "P98"}]}, "calculations[0].op: 'P98' is not one of"),
        ({"calculations": [{"op": "SUM"}]}, "calculations[0].column: SUM needs a column"),
        ({"calculations": [{"op": "RATE_AVG"}]}, "calculations[0].column: RATE_AVG needs a column"),
        (
            {"calculations": [{"op": "CONCURRENCY", "column": "x"}]},
            "calculations[0].column: CONCURRENCY takes no column",
        ),
        ({"calculations": [{"op": "COUNT"}] * 2}, "calculations[1]: COUNT is there twice"),
        ({"calculations": [{"op": "COUNT"}] * 101}, "calculations: has 101 items"),
        (
            {"calculations": [{"op": "COUNT", "filters": [1]}]},
            "calculations[0].filters[0]: must be",
        ),
        (
            {"calculations": [{"op": "COUNT", "filters": [{"op": "="}]}]},
            "calculations[0].filters[0].column: cannot be blank",
        ),
        (
            {"calculations": [{"op": "COUNT", "filters": [EXISTS], "filter_combination": "XOR"}]},
            "calculations[0].filter_combination: must be AND or OR",
        ),
        ({"calculations": [{"op": "COUNT", "colour": 1}]}, "calculations[0].colour: is not a part"),
        (
            {"calculations": [counted(f"c{i}", 51 + i) for i in range(10)]},
            "calculations: their filters have 555 conditions, at most 500",
        ),
        (
            {"calculations": [matching("a", "a" * 600), matching("b", "b" * 600)]},
            "calculations: its regular expressions have 1200 characters",
        ),
        ({"calculations": [{"op": "HEATMAP"}]}, "calculations[0].column: HEATMAP needs a column"),
        (
            {"havings": [{"calculate_op": "HEATMAP", "column": "x", "op": ">", "value": 1}]},
            "havings[0].calculate_op: a heatmap is no number",
        ),
        ({"usage_mode": "yes"}, "usage_mode: must be true or false"),
        ({"filters": [{"op": "="}]}, "filters[0].column: cannot be blank"),
        ({"filters": [{"column": "a", "op": "~"}]}, "filters[0].op: must be one of ="),
        ({"filters": [{"column": "a", "op": "="}]}, "filters[0].value: = needs a value"),
        ({"filters": [{"column": "a", "op": "exists", "value": 1}]}, "filters[0].value: exists"),
        ({"filters": [{"column": "a", "op": "in", "value": [{}]}]}, "filters[0].value[0]: must be"),
        (
            {"filters": [{"column": "a", "op": "=", "value": 10**400}]},
            "filters[0].value: is larger",
        ),
        (
            {"filters": [{"column": "a", "op": "matches", "value": "a("}]},
            "filters[0].value: is no regular expression: missing )",
        ),
        (
            {"filters": [{"column": "a", "op": "matches", "value": r"(?=x)"}]},
            "filters[0].value: is no regular expression: invalid perl operator",
        ),
        (
            {"filters": [{"column": "a", "op": "matches", "value": 5}]},
            "filters[0].value: must be a regular expression",
        ),
        (
            {"filters": [{"column": "a", "op": "matches", "value": "a" * 501}] * 2},
            "filters: its regular expressions have 1002 characters, at most 1000",
        ),
        ({"filters": [{"column": "a", "op": "all-of"}]}, "filters[0].op: must be one of ="),
        ({"filters": [{"filters": []}]}, "filters[0].filters: a group has at least one"),
        ({"filters": [{"filters": [{"op": "="}]}]}, "filters[0].filters[0].column: cannot be"),
        (
            {"filters": [{"filters": [{"filters": [{"op": "="}]}]}]},
            "filters[0].filters[0].filters[0].column: cannot be",
        ),
        (
            {"filters": [{"filters": [EXISTS], "filter_combination": "XOR"}]},
            "filters[0].filter_combination: must be AND, OR or NONE",
        ),
        (
            {"filters": [{"filters": [EXISTS], "column": "a"}]},
            "filters[0].column: is not a part of a group",
        ),
        ({"filters": [{"filters": [EXISTS] * 51}] * 2}, "filters: has 102 conditions, at most 100"),
        ({"filters": [nested(33)]}, "filters[0].filters[0]"),
        ({"filter_combination": "XOR"}, "filter_combination: must be AND or OR"),
        ({"breakdowns": ["COUNT"]}, "calculations: COUNT is a breakdown: give the calculation a"),
        ({"breakdowns": [1]}, "breakdowns[0]: must be the name of a column"),
        ({"breakdowns": ["\ud800"]}, "breakdowns[0]: holds a lone surrogate"),
        ({"orders": [{"op": "SUM", "column": "x"}]}, "orders[0]: SUM(x) must be one of the calc"),
        ({"orders": [{"column": "x"}]}, "orders[0].column: must be one of the breakdowns"),
        ({"orders": [{"op": "COUNT", "order": "up"}]}, "orders[0].order: must be ascending or"),
        ({"havings": [{"calculate_op": "SUM", "op": ">", "value": 1}]}, "havings[0]: SUM must be"),
        ({"havings": [{"calculate_op": "COUNT", "op": "~", "value": 1}]}, "havings[0].op: must be"),
        ({"havings": [{"calculate_op": "COUNT", "op": ">"}]}, "havings[0].value: must be a number"),
        (
            {"havings": [{"calculate_op": "COUNT", "op": ">", "value": 10**400}]},
            "havings[0].value: is larger",
        ),
        ({"limit": 0}, "limit: must be between 1 and 10000"),
        ({"limit": "5"}, "limit: must be a whole number"),
        ({"time_range": -1}, "time_range: must be between 1 and"),
        ({"start_time": 1, "end_time": 9, "time_range": 3}, "time_range: cannot stand beside"),
        ({"start_time": 9, "end_time": 9}, "end_time: must be after start_time"),
        ({"granularity": 7}, "granularity: must be between 8 (range / 1000) and 7200"),
        ({"granularity": 7201}, "granularity: must be between 8 (range / 1000) and 7200"),
        ({"calculated_fields": [{}]}, "calculated_fields[0].name: cannot be blank"),
        ({"compare_time_offset_seconds": -1}, "compare_time_offset_seconds: must be between 0"),
        ({"colour": 1}, "colour: is not a part of a query"),
    ],
)
def test_fault_names_its_field(body: Any, fault: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_spec(body)
    assert str(caught.value).startswith(fault)
    assert caught.value.status == 422


def test_groups_of_filters_are_read_with_their_combination() -> None:
    either = {"filters": [EXISTS, EXISTS], "filter_combination": "OR"}
    neither = {"filters": [either], "filter_combination": "NONE"}
    spec = read_spec({"filters": [EXISTS, neither, nested(32)]})
    exists = Filter("a", FilterOp.EXISTS)
    any_of = Filter("", FilterOp.ANY_OF, (), (exists, exists))
    assert spec.filters[:2] == (exists, Filter("", FilterOp.NONE_OF, (), (any_of,)))
    assert filter_fields(spec.filters) == {"a"}


@pytest.mark.parametrize("prefix", ["root", "parent", "child", "any", "none"])
def test_a_name_that_looks_like_a_relation_is_read_as_a_field(prefix: str) -> None:
    assert read_spec({"breakdowns": [f"{prefix}.id"]}).breakdowns == (f"{prefix}.id",)


def test_a_calculation_of_the_field_without_a_name_orders_and_is_a_condition() -> None:
    spec = read_spec(
        {
            "calculations": [{"op": "COUNT"}, {"op": "SUM", "column": ""}],
            "orders": [{"op": "SUM", "column": ""}, {"op": "COUNT", "column": ""}],
            "havings": [{"calculate_op": "SUM", "column": "", "op": ">", "value": 1}],
        }
    )
    assert [order.by for order in spec.orders] == [1, 0]  # for COUNT "" means that there is none
    assert spec.havings[0].measure == 1


def test_empty_specification_counts_the_last_two_hours() -> None:
    spec = read_spec({})
    assert spec == QuerySpec((Calculation("COUNT"),))
    asked = build_request(spec, "d", NOW_NS)
    assert (asked.end_ns - asked.start_ns) == 7_200 * 10**9
    assert asked.start_ns < NOW_NS < asked.end_ns


@pytest.mark.parametrize(
    ("times", "start_s", "end_s"),
    [
        ({"start_time": 100}, 100, 7_300),
        ({"start_time": 100, "time_range": 50}, 100, 150),
        ({"end_time": 10_000}, 2_800, 10_000),
        ({"end_time": 10_000, "time_range": 50}, 9_950, 10_000),
        ({"start_time": 5, "end_time": 10_000_000}, 5, 10_000_000),
        ({"time_range": 10}, 1_699_999_991, 1_700_000_001),
        ({"start_time": 0, "time_range": 50}, 0, 50),
        ({"start_time": -9_000, "end_time": -5}, -9_000, -5),
        ({"end_time": 100}, -7_100, 100),
    ],
)
def test_time_range_is_what_was_asked(times: dict[str, int], start_s: int, end_s: int) -> None:
    asked = build_request(read_spec(times), "d", NOW_NS)
    assert (asked.start_ns, asked.end_ns) == (start_s * 10**9, end_s * 10**9)


def test_everything_supported_is_read() -> None:
    spec = read_spec(
        {
            "calculations": [{"op": "COUNT"}, {"op": "P99", "column": "ms", "name": "slow"}],
            "filters": [
                {"column": "a", "op": "in", "value": ["x", 1, True]},
                {"column": "b", "op": "does-not-exist"},
                {"column": "c", "op": "=", "value": 2**64},
            ],
            "filter_combination": "OR",
            "breakdowns": ["service", ""],
            "orders": [{"op": "P99", "column": "ms", "order": "descending"}, {"column": "service"}],
            "havings": [{"calculate_op": "COUNT", "op": ">", "value": 5}],
            "limit": 7,
            "granularity": 60,
        }
    )
    assert spec.calculations[1].label == "slow"
    assert spec.filters == (
        Filter("a", FilterOp.IN, ("x", 1, True)),
        Filter("b", FilterOp.NOT_EXISTS),
        Filter("c", FilterOp.EQ, (2.0**64,)),
    )
    assert spec.any_filter
    assert spec.orders == (Order(1, True), Order("service", False))
    assert (spec.limit, spec.granularity_s, len(spec.havings)) == (7, 60, 1)
