"""Tables of what the browser said: medians and worst of the repetitions, as ratios to the API's."""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.page.events import Size
from benchmarks.page.sizes import Loaded

Line = dict[str, Any]
GOAL_BUNDLE: Final = 250_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table. of: ms of one repetition; None where it was not seen."""

    what: str
    name: str
    of: Callable[[Line], float | None]
    goal: str = ""


def _measure(name: str) -> Callable[[Line], float | None]:
    return lambda line: line["measures"].get(f"bellwether {name}")


def _scripts(line: Line) -> float:
    """What reading and drawing an answer took in the page's own code."""
    return sum(
        float(line["measures"].get(f"bellwether {name}", 0.0))
        for name in ("read answer", "read table", "make series", "set up plot", "draw")
    )


FIGURES: Final = (
    Figure("first view", "datasets and their counts shown", lambda x: x["shown"], "1,000"),
    Figure("first view", "first paint", lambda x: x["paint"]),
    Figure("first view", "CPU of the page's thread", lambda x: x["thread"]),
    Figure("question", "Ctrl-Enter to the drawn graph", lambda x: x["total"]),
    Figure("question", "beyond the API's time", lambda x: x["total"] - x["api"], "100"),
    Figure("question", "its request in the page", lambda x: x["inPage"]),
    Figure("question", "before the request", lambda x: x["before"]),
    Figure("question", "answer to drawn", lambda x: x["after"]),
    Figure("many", "answer read, plot made and drawn", _scripts, "50"),
    Figure("many", "  read the answer", _measure("read answer")),
    Figure("many", "  read the table", _measure("read table")),
    Figure("many", "  make series", _measure("make series")),
    Figure("many", "  set up and draw", lambda x: _scripts(x) - sum(
        _measure(n)(x) or 0.0 for n in ("read answer", "read table", "make series"))),
    Figure("many", "answer to drawn", lambda x: x["after"]),
    Figure("many", "Ctrl-Enter to the drawn graph", lambda x: x["total"]),
    Figure("many", "longest frame", lambda x: x["longestFrame"]),
    Figure("many", "CPU of the page's thread", lambda x: x["thread"]),
    Figure("scrolling", "worst frame", lambda x: x["worst"], "50"),
    Figure("scrolling", "p95 of frames", lambda x: x["p95"]),
    Figure("scrolling", "median of frames", lambda x: x["median"]),
    Figure("scrolling", "CPU of the page's thread a frame", lambda x: x["perFrame"]["thread"]),
    Figure("scrolling", "address to rows", lambda x: x["shown"]),
)  # fmt: skip


def show_times(lines: list[Line], size: Size, console: Console) -> None:
    """Print what each build took."""
    words = {
        "first view": "first view with data",
        "question": "question to graph",
        "many": f"{size.groups} groups x {size.steps:,} points",
        "scrolling": f"scrolling {size.spans:,} spans",
    }
    table = Table(
        "what", "build", "of it", "best, ms", "median, ms", "worst, ms", "goal, ms", "x API's time"
    )
    for at, figure in enumerate(FIGURES):
        for build in dict.fromkeys(line["build"] for line in lines):
            some = [x for x in lines if (x["what"], x["build"]) == (figure.what, build)]
            found = [ms for ms in map(figure.of, some) if ms is not None]
            if not found:
                table.add_row(
                    words[figure.what], build, figure.name, "none", "", "", figure.goal, ""
                )
                continue
            api = statistics.median(x["api"] for x in some)
            middle = statistics.median(found)
            table.add_row(
                words[figure.what], build, figure.name, f"{min(found):.1f}", f"{middle:.1f}",
                f"{max(found):.1f}", figure.goal, f"{middle / api:.2f} ({api:.0f} ms)",
            )  # fmt: skip
        if at + 1 == len(FIGURES) or FIGURES[at + 1].what != figure.what:
            table.add_section()
    console.print(table)
    plots = {x["plots"] for x in lines if x["what"] == "many"}
    drawn = max((x["rows"] for x in lines if x["what"] == "scrolling"), default=0)
    busy = [x["load"] for x in lines]
    requests = sorted({x["requests"] for x in lines if x["what"] == "first view"})
    console.print(
        f"plots made for an answer: {_words(plots)}; rows drawn of the trace: at most {drawn}; "
        f"requests of the first view: {_words(requests)}; load average of the machine "
        f"{min(busy):.1f} to {max(busy):.1f}",
        markup=False,
        highlight=False,
    )


def show_sizes(ours: list[Loaded], peer: Loaded | str | None, console: Console) -> None:
    """Print what a browser loads, each file compressed by gzip at its best level."""
    table = Table("page", "first, kB", "all, kB", "goal, kB")
    for one in ours:
        goal = f"{GOAL_BUNDLE / 1e3:.0f}"
        table.add_row(one.name, f"{one.first / 1e3:.1f}", f"{one.all / 1e3:.1f}", goal)
    if isinstance(peer, Loaded):
        table.add_row(peer.name, f"{peer.first / 1e3:.1f}", f"{peer.all / 1e3:.1f}", "")
    console.print(table)
    if isinstance(peer, str):
        console.print(f"VictoriaLogs' vmui: {peer}", markup=False)


def _words(values: Iterable[object]) -> str:
    return ", ".join(str(one) for one in values)
