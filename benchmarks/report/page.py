"""docs/performance.md, made from the file of a run: no figure in it is typed by hand."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from textwrap import dedent

from benchmarks.harness.machine import one_line
from benchmarks.harness.results import (
    COMMIT,
    Result,
    Run,
    WorkloadInfo,
    in_order,
    read_run,
    with_kept,
    write_run,
)
from benchmarks.report.goals import goals
from benchmarks.report.growing import directions
from benchmarks.report.growth_picture import growth_picture
from benchmarks.report.picture import picture
from benchmarks.report.ratios import (
    cpu_per_million,
    events_per_s,
    megabytes_per_s,
    ratio,
    stored_per_event,
)
from benchmarks.report.table import COLUMNS, figure, row
from benchmarks.systems import AGAIN, OURS, all_systems
from benchmarks.systems.base import Group
from benchmarks.workloads import all_workloads

WIDE = "wide spans"
PAGE_FILE = "docs/performance.md"
RUN_FILE = "docs/performance/reference.json"
PICTURE_FILE = "docs/performance/reference.svg"
GROWTH_FILE = "docs/performance/growth.svg"
_SETTING_CHARS = 160
_README_BEGIN = "- [docs/performance.md]"
_INTRODUCTION = """\
    # Performance

    This page is made by `python -m benchmarks --write-docs` from one run on one machine, whose raw
    repetitions are in [reference.json](performance/reference.json). Run it on yours:

    <!-- not run: takes many minutes -->
    ```sh
    python3 make.py benchmarks --headline
    python3 make.py benchmarks --quick
    python3 make.py benchmarks
    ```

    The first measures the README's figure in a quarter of a minute (and some minutes at first, for
    the installation of the peers). The second only shows that everything works: so few events
    say nothing of speed. The third takes an hour or two. Each run goes into a folder of its own
    below `benchmark-results`; `--out` names one, and none is overwritten unasked. `--workload`,
    `--system`, `--events` and `--repetitions`
    choose less, `--list` shows what there is, `--help` the rest. Real files are measured where
    `BELLWETHER_REAL_DATA` names a folder that holds `nginxplus.ndjson.gz` and
    `apache_access.log.gz` (they come from github.com/elastic/examples), and elsewhere ones that are
    generated to look like them; the notes below say which.

    How fast questions are answered, and which command measures what of it:
    [questions](performance/queries.md).
"""
_METHOD = """\
    ## How it is measured

    Every system gets the same events in the same run: peers as a file of JSON lines in the page
    cache, ours as the compressed records of the log. Each has a process of its own with one thread,
    is called once to warm up, and is then called in turn with the others, every turn in another
    order from the seed. What it wrote is read back: rows, the sums of two numeric fields, the bytes
    of a text field. What differs from the truth is marked *wrong* and is no rival to ours.

    Figures are **CPU seconds per million events**, of the process and what it started, because
    other work on a shared machine changes them least; ratios compare calls of the same turn and are
    medians. `bellwether (again)` is the same system a second time: what differs from 1 there is
    noise, and smaller differences elsewhere mean nothing. The clock's events/s are beside it. Peak
    memory includes Python, its libraries and the input that the system keeps.

    Ours does what an indexer does between reading the log and publishing: it decompresses records,
    checks and shreds every event, cuts at the format's limits, and seals Parquet files with page
    checksums, page index, bloom filters, offsets, a logical digest and a hash, fsynced. What each
    peer does less or more is said below; all of their files are fsynced too.
"""
_STAGES_TEXT = """\
    Stages run one step each on inputs that are ready in memory, with caches of their own; so they
    do not add up exactly. *body split* is the shepherd's work on a request's body: find the events,
    check each, frame them as lines of a record; *record encode* compresses those. In the indexer
    *record decode* decompresses, *shred* makes typed columns of lines, *seal* makes fsynced
    segments of columns, and *digest* is a part of that. The references are the oracles in Python,
    which serve until the compiled ones are ready. *memory copy*, *zstd*, *simdjson tape* and
    *Parquet writer* are what the same bytes cost at the least.
"""


_GROWTH_TEXT = """\
    The wide spans, dealt out to more processes or threads, sent to more datasets, or spread over
    more partitions of one indexer (there through real servers); longer logs of them, replayed by
    an indexer whose start is part of it; and events of 13 fields of which ten are drawn from more
    and more columns. Where the number of processes or threads grows, look at events/s by the clock;
    a machine of few cores says little of it.
"""


def write_page(run: Run, root: Path) -> None:
    """Keep the run beside the page, and make the page, its picture and the README's line of it.

    What the run beside the page has of other workloads and groups stays.
    """
    if (root / RUN_FILE).exists():
        order = [one.name for one in all_systems()]
        run = with_kept(run, read_run(root / RUN_FILE), order)
        run = in_order(run, [one.name for one in all_workloads()])
    (root / RUN_FILE).parent.mkdir(exist_ok=True)
    write_run(run, root / RUN_FILE)
    (root / PICTURE_FILE).write_text(picture(run))
    (root / GROWTH_FILE).write_text(growth_picture(run))
    (root / PAGE_FILE).write_text(page(run))
    readme = root / "README.md"
    readme.write_text(with_readme_line(readme.read_text(), run))


def page(run: Run) -> str:
    """The whole page."""
    return "\n".join(
        [
            dedent(_INTRODUCTION),
            *_machine(run),
            dedent(_METHOD),
            *_goals(run),
            "## Every workload\n",
            "![speed and size of every system on every workload](performance/reference.svg)\n",
            *_matrices(run),
            *_stages(run),
            *_end_to_end(run),
            *_growth(run),
            *_systems(run),
        ]
    )


def readme_line(run: Run) -> str:
    """The one line that the README quotes."""
    workload = next(one for one in run.workloads if one.name == WIDE)
    ours, duckdb = run.find(WIDE, OURS), run.find(WIDE, "duckdb")
    if ours is None or duckdb is None:
        raise ValueError(f"the run holds no figures of {WIDE}")
    return (
        f"{_README_BEGIN}(docs/performance.md): one core turns "
        f"{events_per_s(ours, workload):,.0f} wide events a second into sealed segments, "
        f"{ratio(duckdb, ours).middle:.1f} x what DuckDB does "
        "(`python3 make.py benchmarks --headline` measures that in a quarter of a minute)\n"
    )


def with_readme_line(readme: str, run: Run) -> str:
    """The README with its quoted line as this run has it. Raises ValueError if it quotes none."""
    lines = readme.splitlines(keepends=True)
    places = [at for at, line in enumerate(lines) if line.startswith(_README_BEGIN)]
    if len(places) != 1:
        raise ValueError(f"the README has {len(places)} lines that begin with {_README_BEGIN!r}")
    lines[places[0]] = readme_line(run)
    return "".join(lines)


def _machine(run: Run) -> list[str]:
    versions = ", ".join(f"{name} {text}" for name, text in run.versions.items())
    return [
        "## The reference run\n",
        f"Taken {run.taken} with seed {run.seed} on "
        f"{one_line(run.machine)}. "
        f"Versions: {versions}.\n",
        *_of_other_commits(run),
        *_busy(run),
    ]


def _busy(run: Run) -> list[str]:
    """A warning where other work shared the machine."""
    load, cores = max(one.load_before for one in run.workloads), run.machine["cores"]
    if not isinstance(cores, int) or load <= cores:
        return []
    return [
        f"**The machine was busy with other work meanwhile (load up to {load:.0f} on {cores} "
        "cores).** That lengthens CPU times, of the same work from one turn to the next by as much "
        "as the spreads below show, and the clock's times by far more. Read ratios, and none that "
        "is nearer to 1 than *again / first* of its workload.\n",
    ]


def _of_other_commits(run: Run) -> list[str]:
    """Which results were added to the run."""
    found: dict[str, dict[str, None]] = {}
    for one in run.results:
        if one.commit not in ("", run.versions.get(COMMIT)):
            found.setdefault(one.commit, {})[f"{one.workload} ({one.group})"] = None
    texts = [f"at {commit} {', '.join(what)}" for commit, what in found.items()]
    return [f"Measured at another commit: {'; '.join(texts)}.\n"] if texts else []


def _goals(run: Run) -> list[str]:
    rows = [goal.cells() for goal in goals(run)]
    verdicts = Counter(cells[-1] for cells in rows)
    told = ", ".join(f"{verdicts[one]} {one}" for one in ("met", "missed", "not measured"))
    return [
        "## What it must reach\n",
        f"Ratios of this run: {told}. *At least* compares CPU time (theirs / ours), *at most* ours "
        "with theirs.\n",
        *_table(("path", "against", "bound", "found", ""), rows),
    ]


def _matrices(run: Run) -> list[str]:
    """Speed, ratios, bytes and memory of every system that writes files, by workload."""
    names = _measured(run, Group.FILES)
    peers = [name for name in names if name not in (OURS, AGAIN)]
    rows = []
    for workload in run.workloads:
        if (ours := run.find(workload.name, OURS)) is None:
            continue
        cpu = cpu_per_million(ours, workload)
        rows.append(
            [
                workload.name,
                f"{workload.text_bytes / workload.events:,.0f}",
                f"{events_per_s(ours, workload):,.0f}",
                f"{megabytes_per_s(ours, workload):,.0f}",
                f"{figure(cpu.middle)} ({figure(cpu.least)} to {figure(cpu.most)})",
                _noise(run, workload.name, ours),
            ]
        )
    head = (
        "workload", "bytes/event", "events/s/core", "MB/s/core", "CPU-s per M events",
        "again / first",
    )  # fmt: skip
    return [
        "Ours: medians, from least to most; *again / first* is the same system against itself.\n",
        *_table(head, rows),
        "Their CPU time / ours (more than 1: ours takes less):\n",
        *_by_workload(run, peers, lambda one, ours, _: f"{ratio(one, ours).middle:.2f}"),
        "Bytes stored per event:\n",
        *_by_workload(
            run, [OURS, *peers], lambda one, _, load: f"{stored_per_event(one, load):,.1f}"
        ),
        "Peak memory of the process in MiB:\n",
        *_by_workload(
            run, [OURS, *peers], lambda one, _, __: f"{one.peak_rss_bytes() / 2**20:,.0f}"
        ),
        "What each workload is, how often each system was called, and the machine's load in the "
        "minute before:\n",
        *(
            f"- {one.name}: {one.note}; {one.events:,} events in bodies of {one.body_events:,}, "
            f"unpacked {one.depth} deep; {_turns(run, one.name)} turns; load {one.load_before}"
            for one in run.workloads
        ),
        "",
    ]


def _turns(run: Run, workload: str) -> int:
    return max(len(one.repetitions) for one in run.results if one.workload == workload)


def _noise(run: Run, workload: str, ours: Result) -> str:
    again = run.find(workload, AGAIN)
    if again is None:
        return ""
    found = ratio(again, ours)
    return f"{found.middle:.2f} ({found.least:.2f} to {found.most:.2f})"


def _stages(run: Run) -> list[str]:
    names = _measured(run, Group.STAGES, Group.YARDSTICKS)
    return [
        "## Stages and yardsticks\n",
        dedent(_STAGES_TEXT),
        "CPU seconds per million events:\n",
        *_by_workload(
            run, [OURS, *names], lambda one, _, load: figure(cpu_per_million(one, load).middle)
        ),
    ]


def _end_to_end(run: Run) -> list[str]:
    """What runs servers: every figure that they gave."""
    parts = []
    for workload in run.workloads:
        found = [
            one
            for one in run.results
            if one.group == Group.END_TO_END and one.workload == workload.name and one.measured
        ]
        if not found:
            continue
        parts.append(f"## {Group.END_TO_END.value.capitalize()}: {workload.name}\n")
        ours = run.find(workload.name, OURS)
        parts += _table(COLUMNS, [row(one, workload, ours) for one in found])
        parts += [f"- {one.system}: {_figures(one)}" for one in found if _figures(one)]
        parts.append("")
    return parts


def _growth(run: Run) -> list[str]:
    """Each direction in which work grows."""
    found = directions(run)
    if not found:
        return []
    parts = [
        f"## {Group.GROWTH.value.capitalize()}\n",
        "![speed as work grows](performance/growth.svg)\n",
        dedent(_GROWTH_TEXT),
    ]
    for what, points in found.items():
        rows = [
            [f"{one.along.size:,}", *row(one.result, one.workload, None)[:-1]] for one in points
        ]
        parts += [f"### {what.capitalize()}\n", *_table((what, *COLUMNS[:-1]), rows)]
        parts += [
            f"- {one.along.size:,} {what}: {_figures(one.result)}"
            for one in points
            if _figures(one.result)
        ]
        parts.append("")
    return parts


def _figures(one: Result) -> str:
    """What the system says more, of its middle repetition by the clock."""
    middle = sorted(one.repetitions, key=lambda each: each.wall_s)[len(one.repetitions) // 2]
    return ", ".join(f"{name} {figure(value)}" for name, value in middle.figures.items())


def _systems(run: Run) -> list[str]:
    """What each does less or more, with its settings; what was wrong or could not be done."""
    parts = ["## The systems\n"]
    measured = _measured(run, *Group)
    for one in run.systems:
        settings = next(
            (each.settings for each in run.results if each.system == one.name and each.settings), {}
        )
        told = "; ".join(
            f"{name}: `{str(value)[:_SETTING_CHARS]}`" for name, value in settings.items()
        )
        is_missing = one.missing and one.name not in measured
        text = f"not measured: {one.missing}" if is_missing else f"{one.note}. {told}"
        parts.append(f"- **{one.name}**: {text}")
    problems = [
        f"- {one.workload}, {one.system}: {' '.join((one.problem or one.wrong).split())[:200]}"
        for one in run.results
        if one.problem or one.wrong
    ]
    if problems:
        parts += ["\nWhat a system could not do, or wrote differently from what it was given:\n"]
        parts += problems
    return [*parts, ""]


def _measured(run: Run, *groups: Group) -> list[str]:
    """Names of systems of these groups that there are figures of."""
    found = {one.system for one in run.results if one.measured and one.group in groups}
    return [one.name for one in run.systems if one.name in found]


def _by_workload(
    run: Run, names: Sequence[str], cell: Callable[[Result, Result, WorkloadInfo], str]
) -> list[str]:
    rows = []
    for workload in run.workloads:
        if (ours := run.find(workload.name, OURS)) is None:
            continue
        found = (run.find(workload.name, name) for name in names)
        cells = (_marked(one, cell(one, ours, workload)) if one else "" for one in found)
        rows.append([workload.name, *cells])
    return _table(("workload", *names), rows)


def _marked(one: Result, text: str) -> str:
    return f"{text} *wrong*" if one.wrong else text


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [*("| " + " | ".join(line) + " |" for line in lines), ""]
