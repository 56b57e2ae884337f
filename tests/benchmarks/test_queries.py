"""The workloads `queries`: answers of every engine agree, and each has its ratios. Never a time."""

import io
import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from rich.console import Console

from benchmarks.harness.machine import describe_machine
from benchmarks.queries.asking.asked import Asked, Form, Sql
from benchmarks.queries.asking.compare import difference
from benchmarks.queries.asking.spans import EIGHT
from benchmarks.queries.engines.peers import installed
from benchmarks.queries.judge import goals
from benchmarks.queries.plans import PLANS, Wanted
from benchmarks.queries.prepare import THIS
from benchmarks.queries.results import (
    FORMAT,
    Case,
    Layout,
    Measured,
    QueriesRun,
    Sampled,
    read_queries,
    write_queries,
)
from benchmarks.queries.rows.shape import Shape, bodies
from benchmarks.queries.table import show_case
from benchmarks.report.queries_page import FOLDER, queries_files, write_queries_page
from tests.system.harness import ROOT

HOUR_NS = 3_600 * 10**9


def run_queries(out: Path, *arguments: str) -> Case:
    """A run of one question of each kind of very few rows, of everything that is installed here."""
    file = out / "queries.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "queries", "--rounds", "1", "--folder", str(out),
         "--out", str(file), "--without-compiled-code", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (case,) = read_queries(file).cases
    return case


@pytest.fixture(scope="module")
def spans(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return run_queries(tmp_path_factory.mktemp("queries"), "--rows", "2000", "--pieces", "2")


@pytest.mark.system
def test_all_engines_give_the_same_answers(spans: Case) -> None:
    asked = {(one.question, one.engine) for one in spans.results if one.samples}
    names = [one.name for one in Wanted().chosen()]
    assert asked == set(product(names, (THIS, *installed())))
    assert len(names) > len(EIGHT)
    assert spans.files == 2


@pytest.mark.system
def test_the_table_has_a_ratio_for_every_engine_beside_ours(spans: Case) -> None:
    text = io.StringIO()
    show_case(spans, Console(file=text, width=160))
    lines = [line for line in text.getvalue().splitlines() if "duckdb, same files" in line]
    ratios = [line.split("│")[-3:-1] for line in lines if "│" in line]
    assert len(ratios) == len(Wanted().chosen())
    assert all(float(cell) > 0 for pair in ratios for cell in pair)


@pytest.mark.scenario
@pytest.mark.parametrize(
    "arguments",
    [
        ("--kind", "fields", "--rows", "5000"),
        ("--kind", "logs", "--rows", "5000", "--cold"),
        ("--kind", "columns", "--rows", "2000", "--columns", "3000"),
        ("--rows", "5000", "--live", "2000", "--partitions", "2", "--askers", "2"),
    ],
    ids=" ".join,
)
def test_other_kinds_of_rows_are_answered_alike(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    case = run_queries(tmp_path, *arguments)
    assert {one.engine for one in case.results} == {THIS, *installed()}


def test_rows_are_a_function_of_their_number_and_the_seed() -> None:
    shape = Shape(3_000, 5, 10**18, HOUR_NS, users=10)
    whole = b"".join(body.lines for body in bodies(shape))
    parts = [body.lines for first in (0, 2_000) for body in bodies(shape, first, first + 2_000)]
    assert whole.count(b"\n") == 3_000
    assert whole == b"".join(parts)[: len(whole)]
    assert whole != b"".join(body.lines for body in bodies(Shape(3_000, 6, 10**18, HOUR_NS, 10)))


def test_what_differs_is_told() -> None:
    asked = Asked({}, ("k",), ("n",), Sql(""), limit=2)
    assert difference(asked, [("a", 2), ("b", 1)], [("a", 2), ("c", 1)], False) == ""  # a tie
    assert difference(asked, [("a", 2), ("b", 1)], [("x", 2), ("b", 1)], False)
    assert difference(asked, [("a", 2), ("b", 1)], [("a", 2), ("b", 1.001)], False)
    assert difference(asked, [("a", 2)], [("a", 2), ("b", 1)], False) == "1 rows, not 2"
    two = Asked({}, ("k",), ("n", "avg"), Sql(""), limit=3)
    mine = [("a", 3, 0.5), ("b", 2, 0.25), ("c", 2, 0.125)]
    assert difference(two, mine, [mine[0], ("d", 2, 9), mine[1]], False) == ""  # ties, in any order
    assert "0.6" in difference(two, mine, [("a", 3, 0.6), *mine[1:]], False)
    assert "0.75" in difference(two, mine, [mine[0], ("c", 2, 0.75), ("d", 2, 9)], False)
    assert "alone" in difference(two, mine, [("x", 3, 0.5), *mine[1:]], False)
    assert "alone" in difference(two, mine[:2], [mine[0], ("d", 2, 9)], False)  # these are all
    assert "more than once" in difference(two, mine, [mine[0], mine[1], mine[1]], False)
    ranked = Asked({}, ("k",), ("p",), Sql(""), limit=2, error=0.01)
    assert difference(ranked, [("a", 9.0), ("b", 5.0)], [("a", 9.01), ("c", 5.01)], True) == ""
    assert difference(ranked, [("a", 9.0), ("b", 5.0)], [("x", 9.01), ("b", 5.01)], True)
    whole = Asked({}, ("k",), ("n",), Sql(""), error=0.01)
    assert difference(whole, [("a", 2), ("b", 1)], [("b", 1), ("a", 2)], False) == ""
    assert difference(whole, [("a", 1.005)], [("a", 1)], True) == ""
    assert difference(whole, [("a", 1.005)], [("a", 1)], False)
    series = Asked({}, ("k",), ("n",), Sql(""), form=Form.SERIES)
    assert difference(series, [(60, "a", 2)], [(120, "a", 2)], False)


def made_case(clock_ms: float, cpu_ms: float, layout: Layout, files: int = 3) -> Case:
    """Bellwether takes so long, DuckDB 10 ms, ClickHouse 20 ms, for each of the eight questions."""
    times = {THIS: (clock_ms, cpu_ms), "duckdb, same files": (10, 10), "chdb, MergeTree": (20, 20)}
    results = [
        Measured(question.name, engine, [Sampled(int(a * 1e6), int(b * 1e6), 0)] * 3)
        for question in EIGHT
        for engine, (a, b) in times.items()
    ]
    return Case(layout, files, 1_000, results)


LAYOUT = Layout("spans", 1_000, 10, 0, 0, 0, 1, 1, 2, False)


def run_of(*cases: Case) -> QueriesRun:
    return QueriesRun(FORMAT, "", 7, describe_machine(), {}, "", list(cases))


def test_short_questions_may_take_some_milliseconds_more_and_long_ones_a_share() -> None:
    found = goals(run_of(made_case(20, 26, LAYOUT)))
    by_unit = {(one.unit, one.against): one for one in found}
    clock, cpu = (
        by_unit[(f"ms of {what} more", "duckdb, same files")] for what in ("clock", "CPU")
    )
    assert (round(clock.found), clock.met) == (10, True)
    assert (round(cpu.found), cpu.met) == (16, False)
    together = by_unit[("x CPU", "chdb, MergeTree")]
    assert (together.bound, round(together.found, 2), together.met) == (1.0, 1.3, False)


def test_pieces_are_judged_beside_the_same_rows_in_one_segment() -> None:
    pieces = msgspec.structs.replace(LAYOUT, pieces=100)
    run = run_of(made_case(20, 20, LAYOUT, 1), made_case(30, 40, pieces, 101))
    found = [one for one in goals(run) if one.unit == "ms of CPU per piece"]
    assert [round(one.found, 3) for one in found] == [0.2] * len(EIGHT)
    compacted = msgspec.structs.replace(run.cases[1], compacted=True)
    after = [one for one in goals(run_of(run.cases[0], compacted)) if "own CPU" in one.against]
    assert [(round(one.found), one.bound) for one in after] == [(20, 5.0)] * len(EIGHT)


def test_a_run_is_written_and_read(tmp_path: Path) -> None:
    run = run_of(made_case(20, 26, LAYOUT))
    write_queries(run, tmp_path / "run.json")
    assert read_queries(tmp_path / "run.json") == run


@pytest.mark.parametrize("name", list(PLANS))
def test_every_plan_has_questions(name: str) -> None:
    assert all(one.chosen() for one in PLANS[name])
    assert all(replace(one, questions=("no such",)).chosen() == [] for one in PLANS[name])


AGAIN = "run `python -m benchmarks queries --write-docs FILE`"


def test_the_page_and_its_pictures_are_those_of_the_kept_runs() -> None:
    for name, text in queries_files(ROOT).items():
        assert (ROOT / FOLDER / name).read_text() == text, AGAIN


def test_the_page_of_a_run_has_its_bounds_figures_and_pictures(tmp_path: Path) -> None:
    sizes = [msgspec.structs.replace(LAYOUT, rows=rows) for rows in (1_000, 2_000, 4_000)]
    run = run_of(*(made_case(20, 26, layout) for layout in sizes))
    write_queries(run, tmp_path / "run.json")
    (tmp_path / FOLDER).mkdir(parents=True)
    write_queries_page(tmp_path, tmp_path / "run.json", None)
    text = (tmp_path / FOLDER / "queries.md").read_text()
    assert "missed" in text
    assert all(question.name in text for question in EIGHT)
    for name, marks in (("queries.svg", 3 * 3 * 8), ("queries-growth.svg", 3 * 3)):
        picture = ElementTree.fromstring((tmp_path / FOLDER / name).read_text())
        circles = list(picture.iter("{http://www.w3.org/2000/svg}circle"))
        assert len(circles) == marks + 3  # and the legend's engines
    assert queries_files(tmp_path)["queries.md"] == text


@pytest.mark.scenario
def test_traces_are_looked_up_beside_duckdb() -> None:
    command = [sys.executable, "-m", "benchmarks", "trace-lookup"]
    size = ["--segments", "24", "--partitions", "4", "--rounds", "2"]
    ran = subprocess.run([*command, *size], cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert ran.returncode == 0, ran.stderr
    said = " ".join(ran.stdout.split())
    assert "24 segments of 1008 spans" in said
    assert all(one in said for one in ("a trace", "none has the id", "the first of all"))
