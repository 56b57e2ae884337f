"""Where each element of a msgpack array begins and ends, without recursion (I9).

Only for bodies that the unpacker's own stack refuses: so that the one event that is nested too
deep can be told from its neighbours. Linear; a truncated body raises ValueError.
"""

from typing import Final

from common import limits
from common.scan.events import too_many_events
from common.scan.work_budget import STEP_UNITS, Work

# First byte -> (bytes of a length that follows, bytes beside it, objects per unit of the length).
# bin and ext and str: the length counts bytes; arrays and maps: it counts objects.
_SIZED: Final = {
    0xC4: (1, 0, 0),
    0xC5: (2, 0, 0),
    0xC6: (4, 0, 0),
    0xC7: (1, 1, 0),
    0xC8: (2, 1, 0),
    0xC9: (4, 1, 0),
    0xD9: (1, 0, 0),
    0xDA: (2, 0, 0),
    0xDB: (4, 0, 0),
    0xDC: (2, 0, 1),
    0xDD: (4, 0, 1),
    0xDE: (2, 0, 2),
    0xDF: (4, 0, 2),
}
_FIXED: Final = {
    0xC0: 0,
    0xC2: 0,
    0xC3: 0,
    0xCA: 4,
    0xCB: 8,
    0xCC: 1,
    0xCD: 2,
    0xCE: 4,
    0xCF: 8,
    0xD0: 1,
    0xD1: 2,
    0xD2: 4,
    0xD3: 8,
    0xD4: 2,
    0xD5: 3,
    0xD6: 5,
    0xD7: 9,
    0xD8: 17,
}


_HEADS_PER_UNIT: Final = 8


def is_array(body: bytes) -> bool:
    """Whether it begins as an array does."""
    return bool(body) and (body[0] & 0xF0 == 0x90 or body[0] in (0xDC, 0xDD))


def array_head(body: bytes) -> tuple[int, int]:
    """Where the first element of the array begins, and how many they are.

    Raises ValueError if it is no array, or announces more elements than bytes are left for;
    MalformedBody for too many.
    """
    if not is_array(body):
        raise ValueError("not an array")
    at, count = _head(body, 0)
    if count > len(body) - at:
        raise ValueError("truncated")
    if count > limits.BATCH_EVENTS_MAX:
        raise too_many_events()
    return at, count


def array_spans(body: bytes, work: Work | None = None) -> list[tuple[int, int]]:
    """(begin, end) of each element of the array that the body is.

    Raises ValueError, as soon as more values are announced than bytes are left for; MalformedBody
    for too many elements; TooMuchWork.
    """
    at, count = array_head(body)
    work = work or Work()
    spans = []
    steps = 0
    for _ in range(count):
        begin, waiting = at, 1
        while waiting:
            at, inside = _head(body, at)
            waiting += inside - 1
            steps += 1
            if steps == STEP_UNITS * _HEADS_PER_UNIT:
                work.spend(STEP_UNITS)
                steps = 0
                if waiting > len(body) - at:
                    raise ValueError("truncated")
        spans.append((begin, at))
    if at != len(body):
        raise ValueError("bytes after the array")
    return spans


def _head(body: bytes, at: int) -> tuple[int, int]:
    """Where the head of one object ends (its bytes included), and how many objects follow in it."""
    if at >= len(body):
        raise ValueError("truncated")
    first = body[at]
    at += 1
    inside = 0
    if first < 0x80 or first >= 0xE0:
        return at, 0
    if first < 0x90:
        return at, 2 * (first & 0x0F)
    if first < 0xA0:
        return at, first & 0x0F
    if first < 0xC0:
        at += first & 0x1F
    elif first in _FIXED:
        at += _FIXED[first]
    elif first in _SIZED:
        width, beside, objects = _SIZED[first]
        length = int.from_bytes(body[at : at + width])
        inside = length * objects
        at += width + beside + (0 if objects else length)
    else:
        raise ValueError("not msgpack")
    if at > len(body):
        raise ValueError("truncated")
    return at, inside
