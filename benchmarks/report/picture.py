"""A run as one picture (SVG): speed of each system on each workload, and bytes on disk.

Written here, without a library: some hundred circles and lines on two scales.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.machine import one_line
from benchmarks.report.ratios import megabytes_per_s, peers
from benchmarks.results import Result, Run, WorkloadInfo
from benchmarks.systems import AGAIN, OURS
from benchmarks.systems.base import Group

_ROW = 30
_TOP = 96
_LABELS = 190
_OURS_COLOUR = "#d1242f"
_COLOURS = (
    "#0969da", "#54aeff", "#9a6700", "#d4a72c", "#7d4e00", "#1a7f37", "#4ac26b", "#8250df",
    "#6e7781",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Axis:
    """A logarithmic scale from `low` to `high` between two places."""

    left: float
    right: float
    low: float
    high: float

    def at(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.left + share * (self.right - self.left)

    def ticks(self) -> list[float]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        all_ticks = [step * 10.0**power for power in range(first, last + 1) for step in (1, 2, 5)]
        return [tick for tick in all_ticks if self.low <= tick <= self.high]


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
    names = [one.name for one in run.systems if one.name in found]
    colours = {OURS: _OURS_COLOUR, **_coloured([x for x in names if x not in (OURS, AGAIN)])}
    height = _TOP + _ROW * len(run.workloads) + 60
    speed, size = _dots(run)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1160 {height}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#24292f">',
        f'<rect width="1160" height="{height}" fill="#ffffff"/>',
        *_legend(colours),
        *_labels(run.workloads),
        *_panel(speed, 200, 680, "MB of JSON per second of one core (more is better)", colours),
        *_panel(size, 730, 1130, "bytes on disk, ours = 1 (less is better)", colours),
        f'<text x="10" y="{height - 10}" fill="#57606a" font-size="11">'
        f"{escape(one_line(run.machine))}; medians, bars from least to most</text>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _coloured(names: Sequence[str]) -> dict[str, str]:
    return {name: _COLOURS[at % len(_COLOURS)] for at, name in enumerate(names)}


def _dots(run: Run) -> tuple[list[_Dot], list[_Dot]]:
    """Of speeds and of sizes."""
    speed, size = [], []
    for at, workload in enumerate(run.workloads):
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
    axis = _Axis(left, right, low, high)
    bottom = _TOP + _ROW * (1 + max(dot.workload for dot in dots))
    parts = [f'<text x="{left}" y="{_TOP - 26}" font-weight="600">{title}</text>']
    for tick in axis.ticks():
        x = axis.at(tick)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{bottom}" stroke="#d0d7de"/>'
            f'<text x="{x:.1f}" y="{_TOP - 10}" fill="#57606a" text-anchor="middle">{tick:g}</text>'
        )
    for dot in dots:
        parts.append(_mark(dot, axis, colours[dot.system]))
    return parts


def _mark(dot: _Dot, axis: _Axis, colour: str) -> str:
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
            parts.append(f'<rect x="0" y="{y}" width="1160" height="{_ROW}" fill="#f6f8fa"/>')
        parts.append(
            f'<text x="{_LABELS}" y="{y + _ROW / 2 + 4}" text-anchor="end">'
            f"{escape(workload.name)}</text>"
        )
    return parts


def _legend(colours: dict[str, str]) -> list[str]:
    parts, x, y = [], 20.0, 20.0
    for name, colour in colours.items():
        width = 26 + 7 * len(name)
        if x + width > 1140:
            x, y = 20.0, y + 20
        parts.append(
            f'<circle cx="{x}" cy="{y - 4}" r="5" fill="{colour}"/>'
            f'<text x="{x + 10}" y="{y}">{escape(name)}</text>'
        )
        x += width
    return parts
