"""The sample rate of a span or log record: of its attributes, or of its trace state.

Attributes: `sampleRate`, else `SampleRate`, whichever is a number above zero; half is rounded up.
Trace state: the threshold of OpenTelemetry's consistent probability sampling (`ot=th:...`), whose
adjusted count is 2**56 / (2**56 - threshold). Up to 100 a fraction is rounded up or down so that
the mean over many spans is right: by the span's own id, so that a repetition gets the same rate.
"""

import math
import re
from collections.abc import Mapping
from typing import Final

from common import limits
from common.scan.events import Mended, Rule
from common.scan.rates import read_rate
from shepherd.otlp.decode.reference.values import Value

NAMES: Final = ("sampleRate", "SampleRate")
RATE_MENDED: Final = Mended(Rule.SAMPLE_RATE, "samplerate")
_THRESHOLD_DIGITS: Final = 14
_PROBABILITIES: Final = 2**56
_ROUNDED_AT_RANDOM_MAX: Final = 100
_ID_BITS: Final = 64
# The threshold's own form within the entry of OpenTelemetry, and an older one as an entry.
_THRESHOLD = re.compile(
    r"(?:^|,)[ \t]*ot=(?:[^,]*;)?th:([0-9a-fA-F]{1,14})(?=[;,]|[ \t]*$|[ \t]*,)"
    r"|(?:^|[,;])[ \t]*th=([0-9a-fA-F]{1,14})(?=[;,]|[ \t]*$|[ \t]*,)"
)


def rate_of_attributes(values: dict[str, Value]) -> tuple[int, bool]:
    """The rate that the attributes tell (0: none), and whether one of them is no such number.

    Both spellings are removed from `values`.
    """
    rate, is_odd = 0, False
    for name in NAMES:
        if name not in values:
            continue
        value = values.pop(name)
        if rate:
            continue
        text = "" if isinstance(value, bool) else str(value)
        found, mended = read_rate(text)
        written = _number(text)
        if written > 0:
            rate, is_odd = found, bool(mended)
        elif written != 0:
            is_odd = True
    return rate, is_odd


def told_rate(inherited: Mapping[str, Value], own: Mapping[str, Value]) -> tuple[int, bool]:
    """The same of an item: its own attributes go before those of its scope and resource."""
    told = {name: values[name] for name in NAMES for values in (inherited, own) if name in values}
    return rate_of_attributes(told)


def _number(text: str) -> float:
    """A text that `read_rate` can read as a number; else -1."""
    try:
        number = float(text)
    except ValueError:
        return -1
    return number if math.isfinite(number) else -1


def rate_of_trace_state(state: str, span_id: memoryview) -> int:
    """The rate that a trace state tells; 0: none."""
    found = _THRESHOLD.search(state)
    if found is None:
        return 0
    digits: str = found[1] or found[2]
    threshold = int(digits.ljust(_THRESHOLD_DIGITS, "0"), 16)
    count: float = _PROBABILITIES / (_PROBABILITIES - threshold)
    if count > _ROUNDED_AT_RANDOM_MAX:
        return min(math.floor(count + 0.5), limits.SAMPLE_RATE_MAX)
    down = math.floor(count)
    chance = int.from_bytes(span_id[:8], "little") / 2**_ID_BITS
    return down + 1 if chance < count - down else down
