"""What holds of a whole trace: its extent, and how many spans failed or are open."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from query.traces.one.parents import TOP, Mark
from query.traces.one.tree import Kind, Tree, TreeLine


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of a tree. Missing spans count as `missing` and `open`, not as spans.

    start_ns, end_ns: unix ns of the first start and the last known end or start.
    services: number of spans, by service.
    datasets: number of spans, events and links, by dataset.
    roots: spans at the top that name no parent.
    open: unfinished spans by how they are known.
    """

    start_ns: int
    end_ns: int
    spans: int
    events: int
    links: int
    errors: int
    roots: int
    missing: int
    outside: int
    services: dict[str, int]
    datasets: dict[str, int]
    open: dict[str, int]
    marks: dict[str, int]


def summarize(tree: Tree) -> Summary:
    """The summary of a tree with at least one line."""
    lines = tree.lines
    kinds = Counter(line.kind for line in lines)
    spans = [line for line in lines if line.kind is Kind.SPAN]
    return Summary(
        start_ns=min(line.start_ns for line in lines),
        end_ns=max(line.start_ns if line.end_ns is None else line.end_ns for line in lines),
        spans=kinds[Kind.SPAN],
        events=kinds[Kind.EVENT],
        links=kinds[Kind.LINK],
        errors=sum(_failed(line) for line in spans),
        roots=sum(line.parent == TOP and Mark.CYCLE not in line.marks for line in spans),
        missing=kinds[Kind.MISSING],
        outside=sum(line.outside_ns != 0 for line in spans),
        services=_most_common([line.event.service for line in spans if line.event]),
        datasets=_most_common([line.event.dataset for line in lines if line.event]),
        open=_most_common([str(line.open.how) for line in lines if line.open]),
        marks=_most_common([str(mark) for line in spans for mark in line.marks]),
    )


def _failed(line: TreeLine) -> bool:
    return line.event is not None and bool(line.event.error_by)


def _most_common(names: Sequence[str]) -> dict[str, int]:
    counts = Counter(name for name in names if name)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
