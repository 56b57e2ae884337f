"""docs/performance/queries.md, made from the files of runs: no figure in it is typed by hand."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import dedent

import msgspec

from benchmarks.harness.machine import one_line
from benchmarks.queries import storing
from benchmarks.queries.judge import goals
from benchmarks.queries.plans import PLANS
from benchmarks.queries.results import Case, QueriesRun, read_queries
from benchmarks.queries.table import AT_ONCE, COLUMNS, GOALS, at_once_rows, rows
from benchmarks.report.queries_picture import growth, queries_growth_picture, queries_picture

FOLDER = "docs/performance"
PAGE, RUN, COSTS = "queries.md", "queries.json", "storing.json"
PICTURE, GROWTH = "queries.svg", "queries-growth.svg"
_INTRODUCTION = """\
    # Performance of questions

    This page is made by `python -m benchmarks queries --write-docs` from the runs that are kept
    beside it. Run them on yours, on a machine that does nothing else; without the peers of
    `requirements-benchmarks.txt` DuckDB alone is measured beside Bellwether. OTHER is the folder of
    another checkout of Bellwether.

    <!-- not run: takes many minutes -->
    ```sh
    python3 make.py benchmarks queries --plan quick
    python3 make.py benchmarks queries --plan small --other OTHER --out queries.json
    python3 make.py benchmarks queries --plan large --out queries.json --add
    python3 make.py benchmarks queries --write-docs queries.json
    ```

    The first only shows that everything works. `--plan` names a set of cases and may be repeated;
    without it there is one case for each combination of `--rows`, `--pieces`, `--live`,
    `--partitions`, `--indexers`, `--columns` and `--users`. `--out FILE --add` gathers cases of
    several runs in one file. `--question` and `--peer` choose less, `--help` shows the rest. Data
    goes into the folder for temporary files, or a new one in `--folder`: five million rows take
    about 3 GB, twenty million four times as much. VictoriaLogs is asked for words where
    `BELLWETHER_BENCHMARK_VICTORIALOGS` is the path of its server.
"""
_METHOD = """\
    ## How it is measured

    Rows are made by a seed and written to a log by the product's own writer of the log: what
    arrives over HTTP becomes the same records. Each build indexes its own copy of the log with its
    own indexer, and so makes its own segments, of full size or in pieces that are cut by markers.
    DuckDB, ClickHouse (chdb) and polars read the very same files, as `bellwether segments
    --extract` writes them; DuckDB also reads one file that it wrote itself from the rows sorted by
    time, and ClickHouse a MergeTree ordered by time whose parts are merged. Where rows are live,
    the engines beside read them from segments.

    Every engine has as many threads and a process of its own. Each question is another one every
    time: other literals, and a range of time that was not asked before; no engine has a cache of
    results on. Engines are asked in random order. **Rows of every answer are compared with
    Bellwether's before a time counts**, and one that differs is shown as a problem without a time.
    Counts are weighted by sample rates everywhere. Where Bellwether estimates (percentiles and
    distinct counts of many values) the others may estimate as well; where it is exact they are.

    *Clock* is from the request to the last byte of the reply over HTTP, or until the engine's rows
    are Python values. *CPU* is that of all processes of an engine, in nanoseconds from the
    scheduler, HTTP and merging included. *MB read* are the bytes of system calls that read, from
    the page cache too; an engine that maps files reads none by this measure. Ratios are the medians
    of the rounds' ratios, Bellwether's over the engine's. Files are warm, unless a case says that
    they are cold: then they are dropped from the page cache before each question, while what
    processes keep in memory stays. What an engine uses while nobody asks is shown beside its peak
    of memory, and is not taken off.

    In the question by minute and logarithmic bucket the bucket's number is a field of the rows, for
    all engines; of a HEATMAP every engine computes it.
"""
_COMMANDS = (
    ("any question, against plain DuckDB over the same files, and ClickHouse's MergeTree",
     "queries --plan small --plan middle --plan large --plan huge"),
    ("top values of 40 fields; words in log lines", "queries --plan fields --plan words"),
    ("COUNT by user with a million groups", "queries --plan million-users"),
    ("1,000 pieces of 20 rows, before they are put together", "queries --plan tiny-pieces"),
    ("the same, put together", "queries --plan tiny-pieces-compacted"),
    ("a million rows in 1,000 hourly pieces, before and after", "queries --plan hourly-pieces"),
    ("with live rows; with cold files", "queries --plan live --plan cold"),
    ("growth by rows, segments, columns, partitions, indexers and askers",
     "queries --plan growth-rows --plan growth-segments --plan growth-columns "
     "--plan growth-partitions --plan growth-indexers --plan growth-askers"),
    ("putting small segments together, against records to sealed",
     "storing --rows 2097152 --cuts 256 --compact"),
    ("10,000 datasets in one log: CPU, bytes, objects",
     "storing --rows 2097152 --cuts 16 --datasets 10,10000 --compact --other OTHER"),
    ("ingest at half of its full speed while 32 ask; how soon computing ends after a hang-up",
     "under-load"),
    ("64 partitions of one indexer", "storing --rows 2097152 --cuts 4 --partitions 1,64"),
)  # fmt: skip


def write_queries_page(root: Path, run: Path | None, costs: Path | None) -> None:
    """Keep the runs that are given beside the page, and make page and pictures of what is kept."""
    folder = root / FOLDER
    for given, name in ((run, RUN), (costs, COSTS)):
        if given is not None:
            (folder / name).write_bytes(given.read_bytes())
    for name, text in queries_files(root).items():
        (folder / name).write_text(text)


def queries_files(root: Path) -> dict[str, str]:
    """The page and its pictures by their names, of the runs that are kept."""
    run = read_queries(root / FOLDER / RUN) if (root / FOLDER / RUN).exists() else None
    kept = root / FOLDER / COSTS
    costs = msgspec.json.decode(kept.read_bytes(), type=list[storing.Cost]) if kept.exists() else []
    found = {PAGE: page(run, costs)}
    if run is not None:
        found[PICTURE] = queries_picture(run)
        if growth(run):
            found[GROWTH] = queries_growth_picture(run)
    return found


def page(run: QueriesRun | None, costs: Sequence[storing.Cost]) -> str:
    """The whole page; without runs only how to make them."""
    parts = [dedent(_INTRODUCTION), dedent(_METHOD), *_commands()]
    if run is not None:
        parts += [*_taken(run), *_goals(run), *_pictures(run)]
    if costs:
        parts += _costs(costs)
    if run is not None:
        parts += [line for case in run.cases for line in _case(case)]
    return "\n".join(parts)


def _commands() -> list[str]:
    found = [(what, f"`python3 make.py benchmarks {command}`") for what, command in _COMMANDS]
    plans = [
        (f"`{name}`", f"{len(cases)}", f"{max(one.rows for one in cases):,}")
        for name, cases in PLANS.items()
    ]
    return [
        "## Which command measures what\n",
        *_table(("what", "command"), found),
        "Ingest to sealed beside another build, with small segments put together meanwhile: "
        "`python -m benchmarks.two_builds OTHER --sealed --set indexer.formats_wait_s=0 --set "
        "indexer.compaction_percent=100`. How soon single events are in answers after their "
        "acknowledgement, in both builds: `python -m benchmarks.two_builds OTHER --visible 10`.\n",
        *_table(("plan", "cases", "rows at most"), plans),
    ]


def _taken(run: QueriesRun) -> list[str]:
    versions = ", ".join(f"{name} {text}" for name, text in run.versions.items())
    other = f" The other build: {run.other}." if run.other else ""
    return [
        "## The runs\n",
        f"Last taken {run.taken} with seed {run.seed} on {one_line(run.machine)}. "
        f"Versions: {versions}.{other}\n",
    ]


def _goals(run: QueriesRun) -> list[str]:
    found = [goal.cells() for goal in goals(run)]
    met = sum(1 for cells in found if cells[-1] == "met")
    return [
        "## What questions must reach\n",
        f"{met} of {len(found)} bounds met. Beside plain DuckDB a question that takes it more than "
        "100 ms may take 1.3 times as long (1.5 times with a million groups), any other 15 ms "
        "more, of the clock and of CPU.\n",
        *_table(GOALS, found),
    ]


def _pictures(run: QueriesRun) -> list[str]:
    grown = ["![CPU as the work grows](queries-growth.svg)\n"] if growth(run) else []
    return ["## Pictures\n", "![CPU of every engine and question](queries.svg)\n", *grown]


def _costs(costs: Sequence[storing.Cost]) -> list[str]:
    head = ("datasets", "partitions", "cuts", "build", "CPU us/row", "rows/s", "bytes/row",
            "objects/cut", "put together us/row", "bytes/row then")  # fmt: skip
    found = [
        (goal.what, f"at most {goal.bound:.3f}", f"{goal.found:.3f}",
         "met" if goal.found <= goal.bound else "missed")
        for goal in storing.goals(costs)
    ]  # fmt: skip
    return [
        "## Storing: records to sealed segments\n",
        "CPU of the indexer, in microseconds per row, from records in the log to published "
        "segments; then that of the thread that puts small segments together, on all levels, with "
        "what is read, proved and published there. *objects/cut* are per cut and partition.\n",
        *_table(head, [storing.cells(one) for one in costs]),
        *_table(("what", "bound", "found", ""), found),
    ]


def _case(case: Case) -> list[str]:
    parts = [f"## {case.name}\n", *_table(COLUMNS, rows(case))]
    if case.at_once:
        parts += ["Several askers at once:\n", *_table(AT_ONCE, at_once_rows(case))]
    memory = "; ".join(one.text for one in case.memory)
    parts += [f"{case.bytes / 1e6:,.1f} MB of segments. Peak memory: {memory}.\n"]
    problems = [
        f"- {one.question}, {one.engine}: {' '.join(one.problem.split())[:200]}"
        for one in case.results
        if one.problem
    ]
    return [*parts, *problems, *([""] if problems else [])]


def _table(head: Sequence[str], some: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *some]
    return [*("| " + " | ".join(line) + " |" for line in lines), ""]
