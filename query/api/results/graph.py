"""The graph of a result as an image (SVG): its first values over time, a line for each group."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any, Final, NamedTuple

import msgspec

from common.model.times.api import parse_time

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 800, 300, 70, 24, 24
_COLORS: Final = ("#1f77b4", "#d95f02", "#1b9e77", "#7570b3", "#e7298a", "#66a61e", "#a6761d")
_LINES_MAX: Final = 20  # groups that are drawn: more are not told apart
_POINTS_MAX: Final = 20_000
_TEXT_CHARS_MAX: Final = 60


class _Line(NamedTuple):
    name: str
    points: list[tuple[float, float]]  # unix seconds, value


def draw(query: bytes, body: bytes) -> bytes:
    """The image of a finished result. query, body: its JSON, as it is kept."""
    spec, document = msgspec.json.decode(query), msgspec.json.decode(body)
    rows = document["data"].get("series") or []
    breakdowns = list(spec.get("breakdowns") or [])
    measure = _measure(rows, breakdowns)
    lines = [] if measure is None else _lines(rows, breakdowns, measure)
    start_s, end_s = document["range"]["start_time"], document["range"]["end_time"]
    return _image(measure or "", lines, start_s, end_s).encode()


def _measure(rows: Sequence[dict[str, Any]], breakdowns: Sequence[str]) -> str | None:
    """The first calculation that has a number somewhere."""
    names = [name for name in (rows[0]["data"] if rows else ()) if name not in breakdowns]
    return next((n for n in names if any(_is_number(row["data"].get(n)) for row in rows)), None)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _lines(rows: Sequence[dict[str, Any]], breakdowns: list[str], measure: str) -> list[_Line]:
    found: dict[str, _Line] = {}
    for row in rows[:_POINTS_MAX]:
        value = row["data"].get(measure)
        if not _is_number(value):
            continue
        name = ", ".join(str(row["data"].get(field)) for field in breakdowns)
        if name not in found and len(found) == _LINES_MAX:
            continue
        line = found.setdefault(name, _Line(name, []))
        line.points.append((parse_time(row["time"]) / 1e9, float(value)))
    return list(found.values())


def _image(measure: str, lines: Sequence[_Line], start_s: int, end_s: int) -> str:
    values = [value for line in lines for _, value in line.points]
    low, high = min([0.0, *values]), max([0.0, *values])
    across = (_WIDTH - _LEFT) / max(1, end_s - start_s)
    up = (_HEIGHT - _TOP - _BOTTOM) / ((high - low) or 1.0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="12">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        _text(_LEFT, 16, measure if lines else "no values over time"),
        _text(_LEFT - 6, _TOP + 10, f"{high:g}", "end"),
        _text(_LEFT - 6, _HEIGHT - _BOTTOM, f"{low:g}", "end"),
        _text(_LEFT, _HEIGHT - 8, _moment(start_s)),
        _text(_WIDTH - 4, _HEIGHT - 8, _moment(end_s), "end"),
    ]
    for number, line in enumerate(lines):
        points = " ".join(
            f"{_LEFT + (max(time_s, start_s) - start_s) * across:.1f},"
            f"{_HEIGHT - _BOTTOM - (value - low) * up:.1f}"
            for time_s, value in line.points
        )
        color = _COLORS[number % len(_COLORS)]
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.5">'
            f"<title>{escape(_shown(line.name))}</title></polyline>"
        )
    return "".join([*parts, "</svg>"])


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="#333333">{escape(_shown(text))}</text>'
    )


def _shown(text: str) -> str:
    """At most so much of it, without what XML cannot hold."""
    return "".join(c if c.isprintable() else "?" for c in text[:_TEXT_CHARS_MAX])


def _moment(unix_s: int) -> str:
    try:
        return f"{datetime.fromtimestamp(unix_s, UTC):%Y-%m-%d %H:%M:%S}Z"
    except (ValueError, OverflowError, OSError):
        return str(unix_s)
