"""Speed as work grows, one panel for each direction: both scales are logarithmic."""

from collections.abc import Mapping, Sequence

from benchmarks.harness.machine import one_line
from benchmarks.harness.results import Run
from benchmarks.report.drawing import GREY, GRID, WIDTH, Axis, begin, coloured, end, legend
from benchmarks.report.growing import Point, directions

_ACROSS = 3
_TOP = 60
_HEIGHT = 250  # of a panel with its texts
_PLOT = 170
_LEFT = 64
_ROOM = 1.2  # beside the outermost values


def growth_picture(run: Run) -> str:
    """The whole picture."""
    found = directions(run)
    height = _TOP + _HEIGHT * -(-len(found) // _ACROSS) + 20
    names = list(dict.fromkeys(one.system for some in found.values() for one in some))
    colours = coloured(names)
    parts = [*begin(height), *legend(colours)]
    for at, (what, points) in enumerate(found.items()):
        left = at % _ACROSS * WIDTH / _ACROSS + _LEFT
        parts += _panel(what, points, left, _TOP + at // _ACROSS * _HEIGHT + 30, colours)
    parts += end(height, f"{one_line(run.machine)}; medians, bars from least to most")
    return "\n".join(parts) + "\n"


def _panel(
    what: str, points: Sequence[Point], left: float, top: float, colours: Mapping[str, str]
) -> list[str]:
    sizes = sorted({one.along.size for one in points})
    speeds = [one.speed() for one in points]
    right, bottom = left + WIDTH / _ACROSS - _LEFT - 24, top + _PLOT
    x = Axis(left, right, sizes[0] / _ROOM, sizes[-1] * _ROOM)
    low, high = min(one.least for one in speeds), max(one.most for one in speeds)
    y = Axis(bottom, top, low / _ROOM, high * _ROOM)
    unit = "by the clock" if points[0].is_by_the_clock else "of one core"
    parts = [f'<text x="{left}" y="{top - 14}" font-weight="600">{what}: events/s {unit}</text>']
    for tick in y.ticks():
        at = y.at(tick)
        parts.append(
            f'<line x1="{left}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}" stroke="{GRID}"/>'
            f'<text x="{left - 6}" y="{at + 4:.1f}" fill="{GREY}" text-anchor="end">'
            f"{tick:,.0f}</text>"
        )
    for size in sizes:
        parts.append(
            f'<text x="{x.at(size):.1f}" y="{bottom + 16}" fill="{GREY}" text-anchor="middle">'
            f"{size:,}</text>"
        )
    for system in dict.fromkeys(one.system for one in points):
        parts += _line([one for one in points if one.system == system], x, y, colours[system])
    return parts


def _line(points: Sequence[Point], x: Axis, y: Axis, colour: str) -> list[str]:
    places = [(x.at(one.along.size), one.speed()) for one in points]
    path = " ".join(f"{at:.1f},{y.at(speed.middle):.1f}" for at, speed in places)
    parts = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>']
    for at, speed in places:
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y.at(speed.least):.1f}" '
            f'y2="{y.at(speed.most):.1f}" stroke="{colour}" stroke-opacity="0.5"/>'
            f'<circle cx="{at:.1f}" cy="{y.at(speed.middle):.1f}" r="4.5" fill="{colour}">'
            f"<title>{speed.middle:,.0f}</title></circle>"
        )
    return parts
