"""Formulas are computed of the values that a row shows, wherever there are rows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.process.versions import OWN
from query.expressions.nodes import Value
from query.expressions.parser import parse
from query.faults import SpecError
from query.plan.read.spec import read_spec
from query.plan.spec import Formula
from query.results.formulas.evaluate import formula_values
from query.results.rows.values import Values
from tests.query.expressions.evaluator import evaluate
from tests.query.harness import BASE_S, TIMES, QueryHarness, query_harness
from tests.query.share.rows import Row
from tests.waiting import eventually

NUMBERS = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0, 1, 2, 2**53 + 1, 0.5, -0.0, 1e300]),
    st.floats(allow_nan=False, allow_infinity=False),
)
LEAVES = st.sampled_from(["$a", "$b", "$`P99(x)`", "2", "0.5", "0", "null", '"7"', "true"])
CALLS = ["{} / {}", "{} + {}", "{} - {}", "{} * {}", "LT({}, {})", "IF({}, {})", "COALESCE({}, {})",
         "MAX({}, {})", "MOD({}, {})", "{} = {}", "{} AND {}", "CONCAT({}, {})"]  # fmt: skip
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inside: st.builds(
        lambda call, left, right: f"({call.format(left, right)})",
        st.sampled_from(CALLS), inside, inside,
    ),
    max_leaves=6,
)  # fmt: skip


def values(numbers: list[int | float | None]) -> Values:
    """A calculation with these values."""
    held = np.array([n is not None for n in numbers], np.bool_)
    whole = np.array([isinstance(n, int) for n in numbers], np.bool_)
    return Values(
        np.array([float(n or 0) for n in numbers]),
        np.array([n if isinstance(n, int) else 0 for n in numbers], np.int64),
        whole,
        held,
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=8), EXPRESSIONS)
def test_a_formula_comes_to_what_the_slow_evaluator_says(
    rows: list[tuple[int | float | None, ...]], expression: str
) -> None:
    labels = ("a", "b", "P99(x)")
    known = {label: values([row[at] for row in rows]) for at, label in enumerate(labels)}
    found = formula_values([Formula("f", expression)], known, len(rows))["f"]
    shown = found.shown(np.arange(len(rows)))
    node = parse(expression)
    for row, value in zip(rows, shown, strict=True):
        expected: Value = evaluate(node, dict(zip(labels, row, strict=True)))
        if isinstance(expected, float) and not np.isfinite(expected):
            expected = None  # rows show no such number
        assert type(value) is type(expected)
        assert value == expected or value == pytest.approx(expected, rel=1e-12)


ROWS = [
    Row((BASE_S + i) * 10**9, {"g": "ab"[i % 2], "ms": i, "error": i % 5 == 0}) for i in range(40)
] + [Row((BASE_S + 90) * 10**9, {"g": "c", "ms": 7, "error": False})]
SPEC: dict[str, Any] = {
    "calculations": [
        {"op": "COUNT"},
        {"op": "COUNT", "name": "errors", "hidden": True,
         "filters": [{"column": "error", "op": "=", "value": True}]},
        {"op": "SUM", "column": "ms", "name": "total"},
    ],
    "formulas": [
        {"name": "rate", "expression": "$errors / $COUNT"},
        {"name": "per_error", "expression": "$total / $errors"},
        {"name": "bad", "expression": "IF(GT($rate, 0.19), \"bad\", \"good\")"},
    ],
    "granularity": 50,
    **TIMES,
}  # fmt: skip


def expected(rows: list[Row], **group: Any) -> dict[str, Any]:
    """The row of these events, by hand."""
    count, errors = len(rows), sum(bool(r.data["error"]) for r in rows)
    total = sum(r.data["ms"] for r in rows) if rows else None
    rate = errors / count if count else None
    return {
        **group,
        "COUNT": count,
        "total": total,
        "rate": rate,
        "per_error": (total or 0) / errors if errors else None,
        "bad": "bad" if rate is not None and rate > 0.19 else "good",
    }


@asynccontextmanager
async def running(tmp_path: Path) -> AsyncIterator[QueryHarness]:
    async with query_harness(tmp_path, rows=ROWS) as there:
        there.indexers["a"].announce(OWN)

        async def is_known() -> bool:  # claims are read once a second
            return bool((await there.ask({**SPEC, **TIMES}))["coverage"]["complete"])

        await eventually(is_known)
        yield there


async def test_every_row_of_an_answer_has_its_formulas(tmp_path: Path) -> None:
    async with running(tmp_path) as there:
        spec = {**SPEC, "breakdowns": ["g"], "orders": [{"column": "g"}], "limit": 2}
        for _ in range(2):  # the second time its series are asked for at once
            data = (
                await there.ask(
                    spec, disable_total_by_aggregate=False, disable_other_by_aggregate=False
                )
            )["data"]
            by_g = {g: [r for r in ROWS if r.data["g"] == g] for g in "abc"}
            rows = [row["data"] for row in data["results"]]
            assert rows == [expected(by_g[g], g=g) for g in "ab"]
            assert data["total_by_aggregate"] == expected(ROWS)
            assert data["other_by_aggregate"] == expected(by_g["c"])
            assert [row["data"] for row in data["series"]] == rows
            early, late = (row["data"] for row in data["total_by_aggregate_series"])
            assert (early, late) == (expected(ROWS[:40]), expected(ROWS[40:]))
        data = (await there.ask({**SPEC, "granularity": 10}))["data"]
        steps = [row["data"] for row in data["series"]]
        assert steps[5] == expected([])  # a step without events
        assert steps[9] == expected(ROWS[40:])


async def test_formulas_and_names_order_and_filter_groups(tmp_path: Path) -> None:
    async with running(tmp_path) as there:

        async def groups(**more: Any) -> list[str]:
            answer = await there.ask({**SPEC, "breakdowns": ["g"], **more})
            return [row["data"]["g"] for row in answer["data"]["results"]]

        by_rate = [{"column": "rate", "order": "descending"}, {"column": "g"}]
        assert await groups(orders=by_rate) == ["a", "b", "c"]
        up = [{"column": "per_error"}, {"column": "g"}]
        assert await groups(orders=up) == ["a", "b", "c"]  # c has no error, and so no value
        assert await groups(havings=[{"column": "rate", "op": ">", "value": 0}]) == ["a", "b"]
        assert await groups(havings=[{"column": "total", "op": "<", "value": 10}]) == ["c"]
        assert await groups(havings=[{"column": "errors", "op": "=", "value": 0}]) == ["c"]
        having = {"calculate_op": "SUM", "column": "ms", "op": "<", "value": 10}
        assert await groups(havings=[having]) == ["c"]
        answer = await there.ask({**SPEC, "breakdowns": ["g"], "limit": 1})
        assert answer["groups"]["all"] == {"COUNT": 41, "total": 787}


async def test_an_earlier_range_has_its_formulas_too(tmp_path: Path) -> None:
    async with running(tmp_path) as there:
        spec = {**SPEC, "start_time": BASE_S + 20, "end_time": BASE_S + 40, "granularity": None}
        answer = await there.ask({**spec, "compare_time_offset_seconds": 20})
        assert answer["data"]["results"] == [{"data": expected(ROWS[20:40])}]
        assert answer["compare"]["data"]["results"] == [{"data": expected(ROWS[:20])}]


def formula(expression: object, name: object = "f") -> dict[str, Any]:
    calculations = [{"op": "COUNT", "name": "n"}, {"op": "SUM", "column": "x"},
                    {"op": "HEATMAP", "column": "x"}]  # fmt: skip
    return {"calculations": calculations, "breakdowns": ["g"],
            "formulas": [{"name": name, "expression": expression}]}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (formula("$m / 2"), "formulas[0].expression: column 1: `m` is not a calculation"),
        (formula("$`HEATMAP(x)`"), "formulas[0].expression: column 1: `HEATMAP(x)` is not"),
        (formula("$n/2"), "column 1: `n/2` is not a calculation of this query that is a number "
                          "(blanks stand around an operator: $a / $b)"),
        (formula("$n +"), "formulas[0].expression: column 5: expected a value"),
        (formula("EVENT_TIMESTAMP()"), "EVENT_TIMESTAMP is of an event"),
        (formula("1 + RAND()"), "column 5: RAND is of an event"),
        (formula(""), "formulas[0].expression: cannot be blank"),
        (formula(7), "formulas[0].expression: must be an expression, a string"),
        (formula("$n", ""), "formulas[0].name: cannot be blank"),
        (formula("$n", "n"), "formulas[0].name: n is a calculation, breakdown or formula already"),
        (formula("$n", "g"), "formulas[0].name: g is a calculation"),
        (formula("$f"), "`f` is not a calculation"),
        ({"formulas": [{"name": "f", "expression": "1", "x": 1}]}, "formulas[0].x: a formula has"),
        ({"formulas": [{}] * 101}, "formulas: has 101 items, at most 100 are allowed"),
        ({"formulas": {}}, "formulas: must be an array"),
        ({"calculations": [{"op": "COUNT", "hidden": 1}]}, "calculations[0].hidden: must be true"),
        ({"orders": [{"column": "x"}]}, "orders[0].column: must be one of the breakdowns, or the"),
        ({"havings": [{"column": "x", "op": ">", "value": 1}]}, "havings[0].column: must be the"),
    ],
)  # fmt: skip
def test_a_formula_that_is_none_is_refused_with_its_place(body: dict[str, Any], why: str) -> None:
    with pytest.raises(SpecError) as refused:
        read_spec(body)
    assert why in str(refused.value)


def test_a_hundred_formulas_are_computed_together() -> None:
    formulas = [{"name": f"f{i}", "expression": f"$COUNT + {i}"} for i in range(99)]
    spec = read_spec({"formulas": [*formulas, {"name": "last", "expression": "$f98 * 2"}]})
    found = formula_values(spec.formulas, {"COUNT": values([1, None])}, 2)
    assert found["f98"].shown(np.arange(2)) == [99, 98]
    assert found["last"].shown(np.arange(2)) == [198, 196]


def test_formulas_use_each_other_to_a_depth() -> None:
    formulas = [{"name": "f0", "expression": "$COUNT + 1"}]
    formulas += [{"name": f"f{i}", "expression": f"$f{i - 1} + 1"} for i in range(1, 11)]
    spec = read_spec({"formulas": formulas[:10]})
    found = formula_values(spec.formulas, {"COUNT": values([1])}, 1)
    assert found["f9"].shown(np.arange(1)) == [11]
    with pytest.raises(SpecError, match="at most 10 formulas use each other"):
        read_spec({"formulas": formulas})


def test_a_text_that_looks_like_sql_is_a_text() -> None:
    text = "'); DROP TABLE cells; --"
    written = '"' + text.replace('"', '\\"') + '"'
    names = Formula(text, f"CONCAT($`{text}x`, {written})")
    found = formula_values([names], {f"{text}x": values([5])}, 1)
    assert found[text].shown(np.arange(1)) == [f"5{text}"]
