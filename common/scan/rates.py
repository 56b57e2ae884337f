"""Every way in which a client may write an event's sample rate; no event is refused for its rate.

As the vendor's proxy and its OTLP library read them: a fraction is rounded, half up; zero, an empty
text and text that is no number mean 1; a rate beyond the largest one becomes the largest.
"""

import math
import re
from typing import Final

from common import limits
from common.scan.events import Mended, Rule

_CHARS_MAX: Final = 40
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_MENDED: Final = (Mended(Rule.SAMPLE_RATE, "samplerate"),)

Rate = tuple[int, tuple[Mended, ...]]
NO_RATE: Final[Rate] = (1, ())
UNREADABLE: Final[Rate] = (1, _MENDED)


def read_rate(text: str) -> Rate:
    """The rate, and whether it differs from the one sent: a fraction, below 0, no number."""
    text = text.strip()
    if not text:
        return NO_RATE
    if len(text) > _CHARS_MAX or _NUMBER.fullmatch(text) is None:
        return UNREADABLE
    written = float(text)
    if not math.isfinite(written):
        return UNREADABLE
    rate = min(max(math.floor(written + 0.5), 1), limits.SAMPLE_RATE_MAX)
    return rate, (() if written in (0, rate) else _MENDED)
