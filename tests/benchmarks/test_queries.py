"""The workloads `queries`: answers of every engine agree, and each has its ratios. Never a time."""

import io
import time

import pytest
from rich.console import Console

from benchmarks.queries.compare import difference
from benchmarks.queries.measure import ask_all
from benchmarks.queries.peers import ENGINES
from benchmarks.queries.prepare import THIS, Layout, engines
from benchmarks.queries.questions import EIGHT, Asked
from benchmarks.queries.results import Case
from benchmarks.queries.rows import Shape, bodies
from benchmarks.queries.table import show

ROWS = 2_000
HOUR_NS = 3_600 * 10**9


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Every question once, of everything that is installed here, over very few rows."""
    shape = Shape(ROWS, 3, time.time_ns() - 60 * 10**9, HOUR_NS, users=100)
    layout = Layout(pieces=2, compiled=False)
    folder = tmp_path_factory.mktemp("queries")
    with engines(folder, shape, layout, None, list(ENGINES)) as some:
        results, memory = ask_all(some, EIGHT, shape, 1, 3, lambda _: None)
    return Case("spans", ROWS, 2, 1, 2, 2, 0, results, memory)


@pytest.mark.system
def test_all_engines_give_the_same_answers(case: Case) -> None:
    assert [(one.question, one.engine, one.problem) for one in case.results if one.problem] == []
    asked = {(one.question, one.engine) for one in case.results}
    assert asked == {(question.name, name) for question in EIGHT for name in (THIS, *ENGINES)}


@pytest.mark.system
def test_the_table_has_a_ratio_for_every_engine_beside_ours(case: Case) -> None:
    text = io.StringIO()
    show(case, Console(file=text, width=160))
    lines = [line for line in text.getvalue().splitlines() if "duckdb, same files" in line]
    ratios = [line.split("│")[-3:-1] for line in lines if "│" in line]
    assert len(ratios) == len(EIGHT)
    assert all(float(cell) > 0 for pair in ratios for cell in pair)


def test_rows_are_a_function_of_their_number_and_the_seed() -> None:
    shape = Shape(3_000, 5, 10**18, HOUR_NS, users=10)
    whole = b"".join(body.lines for body in bodies(shape))
    parts = [body.lines for first in (0, 2_000) for body in bodies(shape, first, first + 2_000)]
    assert whole.count(b"\n") == 3_000
    assert whole == b"".join(parts)[: len(whole)]
    assert whole != b"".join(body.lines for body in bodies(Shape(3_000, 6, 10**18, HOUR_NS, 10)))


def test_what_differs_is_told() -> None:
    asked = Asked({}, ("k",), ("n",), "", limit=2)
    assert difference(asked, [("a", 2), ("b", 1)], [("a", 2), ("c", 1)], False) == ""  # a tie
    assert difference(asked, [("a", 2), ("b", 1)], [("x", 2), ("b", 1)], False)
    assert difference(asked, [("a", 2), ("b", 1)], [("a", 2), ("b", 1.001)], False)
    assert difference(asked, [("a", 2)], [("a", 2), ("b", 1)], False) == "1 rows, not 2"
    whole = Asked({}, ("k",), ("n",), "", error=0.01)
    assert difference(whole, [("a", 2), ("b", 1)], [("b", 1), ("a", 2)], False) == ""
    assert difference(whole, [("a", 1.005)], [("a", 1)], True) == ""
    assert difference(whole, [("a", 1.005)], [("a", 1)], False)
