"""A run as one picture (SVG): speed of each system on each workload, and bytes on disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.harness.machine import one_line
from benchmarks.harness.results import Result, Run, WorkloadInfo
from benchmarks.report.drawing import GREY, GRID, WIDTH, Axis, begin, coloured, end, legend
from benchmarks.report.ratios import megabytes_per_s, peers
from benchmarks.systems import OURS
from benchmarks.systems.base import Group

_ROW = 30
_TOP = 96
_LABELS = 190


@dataclass(frozen=True, slots=True)
class _Dot:
    workload: int
    system: str
    value: float
    least: float
    most: float


def picture(run: Run) -> str:
    """The whole picture."""
    found = {one.system for one in run.results if one.measured and one.group == Group.FILES}
    colours = coloured([one.name for one in run.systems if one.name in found])
    workloads = [one for one in run.workloads if run.find(one.name, OURS)]
    height = _TOP + _ROW * len(workloads) + 60
    speed, size = _dots(run, workloads)
    parts = [
        *begin(height),
        *legend(colours),
        *_labels(workloads),
        *_panel(speed, 200, 680, "MB of JSON per second of one core (more is better)", colours),
        *_panel(size, 730, 1130, "bytes on disk, ours = 1 (less is better)", colours),
        *end(height, f"{one_line(run.machine)}; medians, bars from least to most"),
    ]
    return "\n".join(parts) + "\n"


def _dots(run: Run, workloads: Sequence[WorkloadInfo]) -> tuple[list[_Dot], list[_Dot]]:
    """Of speeds and of sizes."""
    speed, size = [], []
    for at, workload in enumerate(workloads):
        ours = run.find(workload.name, OURS)
        if ours is None:
            continue
        for one in [*peers(run, workload.name), ours]:
            speed.append(_speed_dot(at, one, workload))
            share = one.stored_bytes / ours.stored_bytes
            size.append(_Dot(at, one.system, share, share, share))
    return speed, size


def _speed_dot(at: int, one: Result, workload: WorkloadInfo) -> _Dot:
    speeds = [workload.text_bytes / 1e6 / each.cpu_s for each in one.repetitions]
    return _Dot(at, one.system, megabytes_per_s(one, workload), min(speeds), max(speeds))


def _panel(
    dots: Sequence[_Dot], left: float, right: float, title: str, colours: dict[str, str]
) -> list[str]:
    if not dots:
        return []
    low = min(dot.least for dot in dots) / 1.15
    high = max(dot.most for dot in dots) * 1.15
    axis = Axis(left, right, low, high)
    bottom = _TOP + _ROW * (1 + max(dot.workload for dot in dots))
    parts = [f'<text x="{left}" y="{_TOP - 26}" font-weight="600">{title}</text>']
    for tick in axis.ticks():
        x = axis.at(tick)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{bottom}" stroke="{GRID}"/>'
            f'<text x="{x:.1f}" y="{_TOP - 10}" fill="{GREY}" text-anchor="middle">{tick:g}</text>'
        )
    for dot in dots:
        parts.append(_mark(dot, axis, colours[dot.system]))
    return parts


def _mark(dot: _Dot, axis: Axis, colour: str) -> str:
    y = _TOP + _ROW * dot.workload + _ROW / 2
    is_ours = dot.system == OURS
    return (
        f'<line x1="{axis.at(dot.least):.1f}" x2="{axis.at(dot.most):.1f}" y1="{y}" y2="{y}" '
        f'stroke="{colour}" stroke-width="{3 if is_ours else 2}" stroke-opacity="0.5"/>'
        f'<circle cx="{axis.at(dot.value):.1f}" cy="{y}" r="{7 if is_ours else 4.5}" '
        f'fill="{colour}" fill-opacity="{1 if is_ours else 0.85}">'
        f"<title>{escape(dot.system)}: {dot.value:.3g}</title></circle>"
    )


def _labels(workloads: Sequence[WorkloadInfo]) -> list[str]:
    parts = []
    for at, workload in enumerate(workloads):
        y = _TOP + _ROW * at
        if at % 2 == 0:
            parts.append(f'<rect x="0" y="{y}" width="{WIDTH}" height="{_ROW}" fill="#f6f8fa"/>')
        parts.append(
            f'<text x="{_LABELS}" y="{y + _ROW / 2 + 4}" text-anchor="end">'
            f"{escape(workload.name)}</text>"
        )
    return parts
