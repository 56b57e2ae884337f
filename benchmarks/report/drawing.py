"""What pictures (SVG) share: logarithmic scales, colours of systems, the legend.

Written here, without a library: some hundred circles and lines on two scales.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.systems import AGAIN, OURS

WIDTH = 1160
GREY = "#57606a"
GRID = "#d0d7de"
_OURS_COLOUR = "#d1242f"
_COLOURS = (
    "#0969da", "#54aeff", "#9a6700", "#d4a72c", "#7d4e00", "#1a7f37", "#4ac26b", "#8250df",
    "#6e7781",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic scale from `low` to `high` between two places."""

    begin: float
    end: float
    low: float
    high: float

    def at(self, value: float) -> float:
        """Where a value stands."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.begin + share * (self.end - self.begin)

    def ticks(self) -> list[float]:
        """1, 2 and 5 of each power of ten within."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        all_ticks = [step * 10.0**power for power in range(first, last + 1) for step in (1, 2, 5)]
        return [tick for tick in all_ticks if self.low <= tick <= self.high]


def begin(height: float) -> list[str]:
    """The picture's first elements."""
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#24292f">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]


def end(height: float, text: str) -> list[str]:
    """A line of text at the bottom, and the picture's end."""
    return [
        f'<text x="10" y="{height - 10}" fill="{GREY}" font-size="11">{escape(text)}</text>',
        "</svg>",
    ]


def coloured(names: Sequence[str]) -> dict[str, str]:
    """A colour for ours, and one for each of these systems; ours a second time has none."""
    others = [name for name in names if name not in (OURS, AGAIN)]
    found = {name: _COLOURS[at % len(_COLOURS)] for at, name in enumerate(others)}
    return {OURS: _OURS_COLOUR, **found}


def legend(colours: Mapping[str, str]) -> list[str]:
    """Every system with its colour, in lines."""
    parts, x, y = [], 20.0, 20.0
    for name, colour in colours.items():
        width = 26 + 7 * len(name)
        if x + width > WIDTH - 20:
            x, y = 20.0, y + 20
        parts.append(
            f'<circle cx="{x}" cy="{y - 4}" r="5" fill="{colour}"/>'
            f'<text x="{x + 10}" y="{y}">{escape(name)}</text>'
        )
        x += width
    return parts
