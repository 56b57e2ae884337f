"""Questions as pictures: every engine's time of every question, and how it grows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import msgspec

from benchmarks.harness.machine import one_line
from benchmarks.queries.results import Case, QueriesRun
from benchmarks.report.drawing import GREY, GRID, WIDTH, Axis, begin, coloured, end, legend

_TOP = 60
_LEFT = 330  # for the questions' names
_LINE = 22
_TITLE = 34
_ROOM = 1.2  # beside the outermost values
_ACROSS = 3
_PANEL, _PLOT, _MARGIN = 250, 170, 64
_SIZES_LEAST = 3  # of a direction that is worth a panel


@dataclass(frozen=True, slots=True)
class Point:
    """CPU of one question, in milliseconds."""

    size: int
    engine: str
    cpu_ms: float


def queries_picture(run: QueriesRun) -> str:
    """A panel for each case with all kinds of questions: CPU of each engine and question."""
    some = [case for case in run.cases if len(_questions(case)) > 2]
    height = _TOP + sum(_TITLE + _LINE * len(_questions(case)) + 30 for case in some) + 20
    names = list(dict.fromkeys(one.engine for case in some for one in case.results))
    colours = coloured(names)
    parts, top = [*begin(height), *legend(colours)], float(_TOP)
    for case in some:
        parts += _case(case, top, colours)
        top += _TITLE + _LINE * len(_questions(case)) + 30
    parts += end(height, f"{one_line(run.machine)}; CPU of all processes, medians; logarithmic")
    return "\n".join(parts) + "\n"


def _questions(case: Case) -> list[str]:
    return list(dict.fromkeys(one.question for one in case.results if one.samples))


def _case(case: Case, top: float, colours: Mapping[str, str]) -> list[str]:
    names = _questions(case)
    bottom = top + _TITLE + _LINE * len(names)
    x = _scale(_LEFT, WIDTH - 30, [one.cpu_ms() for one in case.results if one.samples])
    parts = [f'<text x="20" y="{top + 14}" font-weight="600">{escape(case.name)}</text>']
    for tick in x.ticks():
        at = x.at(tick)
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top + 24}" y2="{bottom}" stroke="{GRID}"/>'
            f'<text x="{at:.1f}" y="{bottom + 14}" fill="{GREY}" text-anchor="middle">'
            f"{tick:g} ms</text>"
        )
    for number, name in enumerate(names):
        y = top + _TITLE + _LINE * number + 6
        parts.append(f'<text x="{_LEFT - 14}" y="{y + 4}" text-anchor="end">{escape(name)}</text>')
        for one in case.results:
            if one.question == name and one.samples:
                text = f"{one.engine}: {one.cpu_ms():.1f} ms"
                parts.append(_dot(x.at(one.cpu_ms()), y, colours[one.engine], text))
    return parts


def queries_growth_picture(run: QueriesRun) -> str:
    """A panel for each number that grows while all others stay."""
    found = growth(run)
    height = _TOP + _PANEL * -(-len(found) // _ACROSS) + 20
    names = list(dict.fromkeys(one.engine for some in found.values() for one in some))
    colours = coloured(names)
    parts = [*begin(height), *legend(colours)]
    for at, (what, points) in enumerate(found.items()):
        left = at % _ACROSS * WIDTH / _ACROSS + _MARGIN
        parts += _panel(what, points, left, _TOP + at // _ACROSS * _PANEL + 30, colours)
    parts += end(height, f"{one_line(run.machine)}; CPU of all processes per question, medians")
    return "\n".join(parts) + "\n"


def growth(run: QueriesRun) -> dict[str, list[Point]]:
    """Of each direction with enough sizes: the first question, or all that every size has."""
    found: dict[str, list[Point]] = {}
    for what in ("rows", "pieces", "columns", "partitions"):
        groups: dict[bytes, list[Case]] = {}
        for case in run.cases:
            rest = msgspec.structs.replace(case.layout, **{what: 0})
            key = msgspec.json.encode((rest, case.compacted))
            groups.setdefault(key, []).append(case)
        largest = max(groups.values(), key=len, default=[])
        if len({getattr(case.layout, what) for case in largest}) >= _SIZES_LEAST:
            name = "files" if what == "pieces" else what
            found[name] = sorted(_points(what, largest), key=lambda one: one.size)
    askers = [
        Point(one.askers, one.engine, one.cpu_ms()) for case in run.cases for one in case.at_once
    ]
    if len({one.size for one in askers}) >= _SIZES_LEAST:
        found["askers at once"] = sorted(askers, key=lambda one: one.size)
    return found


def _points(what: str, cases: Sequence[Case]) -> Iterator[Point]:
    shared = set.intersection(*(set(_questions(case)) for case in cases))
    name = next(one for one in _questions(cases[0]) if one in shared)
    for case in cases:
        size = case.files if what == "pieces" else getattr(case.layout, what)
        for one in case.results:
            if one.question == name and one.samples:
                yield Point(size, one.engine, one.cpu_ms())


def _panel(
    what: str, points: Sequence[Point], left: float, top: float, colours: Mapping[str, str]
) -> list[str]:
    right, bottom = left + WIDTH / _ACROSS - _MARGIN - 24, top + _PLOT
    x = _scale(left, right, [float(max(one.size, 1)) for one in points])
    y = _scale(bottom, top, [one.cpu_ms for one in points])
    parts = [f'<text x="{left}" y="{top - 14}" font-weight="600">{what}: CPU ms</text>']
    for tick in y.ticks():
        at = y.at(tick)
        parts.append(
            f'<line x1="{left}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}" stroke="{GRID}"/>'
            f'<text x="{left - 6}" y="{at + 4:.1f}" fill="{GREY}" text-anchor="end">{tick:g}</text>'
        )
    for size in sorted({one.size for one in points}):
        parts.append(
            f'<text x="{x.at(size):.1f}" y="{bottom + 16}" fill="{GREY}" text-anchor="middle">'
            f"{size:,}</text>"
        )
    for engine in dict.fromkeys(one.engine for one in points):
        own = [(x.at(one.size), y.at(one.cpu_ms), one) for one in points if one.engine == engine]
        path = " ".join(f"{across:.1f},{down:.1f}" for across, down, _ in own)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colours[engine]}" stroke-width="2"/>'
        )
        parts += [
            _dot(a, b, colours[engine], f"{engine}: {one.cpu_ms:.1f} ms") for a, b, one in own
        ]
    return parts


def _scale(first: float, last: float, values: Sequence[float]) -> Axis:
    return Axis(first, last, min(values) / _ROOM, max(values) * _ROOM)


def _dot(x: float, y: float, colour: str, text: str) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}" fill-opacity="0.85">'
        f"<title>{escape(text)}</title></circle>"
    )
