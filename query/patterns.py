"""Regular expressions: whether RE2 takes one, its groups, and its size with its repetitions written
out, as RE2 compiles it.

RE2 matches in linear time, but the time to compile grows with the size of the written-out
expression: a second for 15 characters such as `(?:\\pL\\pN){300}`. So the size is bounded before it
is compiled. The estimate is never too low; an invalid expression has a size, too.
"""

import re
from functools import lru_cache
from typing import Final

_UNICODE_CLASS: Final = 100  # `\pL` stands for hundreds of ranges of bytes
_TOKEN = re.compile(
    r"""
    (?P<quoted>\\Q.*?(?:\\E|\Z))
  | (?P<unicode>\\[pP])
  | (?P<set>\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*+\])
  | (?P<flags>\(\?[a-zA-Z-]*+\))
  | (?P<open>\()
  | (?P<close>\))
  | \{(?P<least>[0-9]{1,4})(?:,(?P<most>[0-9]{0,4}))?\}
  | (?P<mark>[*+?|^$])
  | \\?.
    """,
    re.VERBOSE | re.DOTALL,
)
_NAMED = re.compile(r"\?P?<")
_IN_SET = re.compile(r"\\(?:([pP])|.)", re.DOTALL)


class _Group:
    """A parenthesized group: its size so far, and the size of its last part."""

    __slots__ = ("last", "size")

    def __init__(self) -> None:
        self.size = self.last = 0

    def add(self, size: int) -> None:
        self.size += size
        self.last = size

    def repeat(self, times: int) -> None:
        self.size += self.last * (times - 1)
        self.last *= times


def pattern_size(pattern: str) -> int:
    """Upper bound of the characters and classes, with repetitions such as `{30}` written out.

    A Unicode class (`\\pL`) counts as a hundred.
    """
    groups = [_Group()]
    for found in _TOKEN.finditer(pattern):
        group = groups[-1]
        if found["unicode"]:
            group.add(_UNICODE_CLASS)
        elif found["set"]:
            classes = sum(1 for one in _IN_SET.finditer(found["set"]) if one[1])
            group.add(1 + _UNICODE_CLASS * classes)
        elif found["open"]:
            groups.append(_Group())
        elif found["close"] and len(groups) > 1:
            groups.pop()
            groups[-1].add(group.size)
        elif found["least"]:
            group.repeat(max(1, int(found["least"]), int(found["most"] or 0)))
        elif found["quoted"]:
            group.add(len(found["quoted"]))
        elif not (found["mark"] or found["flags"]):
            group.add(1)
    return sum(group.size for group in groups)


@lru_cache(maxsize=256)
def pattern_fault(pattern: str) -> str | None:
    """Why RE2 refuses the pattern; None if it is valid. DuckDB matches with RE2, too."""
    import pyarrow as pa  # not for commands, which parse queries only
    import pyarrow.compute as pc

    try:
        pc.match_substring_regex(pa.array([""]), pattern=pattern)
    except pa.ArrowInvalid as error:
        return str(error).removeprefix("Invalid regular expression: ")
    return None


def has_groups(pattern: str) -> bool:
    """Whether a valid pattern has a group that captures."""
    opened = (one for one in _TOKEN.finditer(pattern) if one["open"])
    return any(not pattern.startswith("?", one.end()) or _NAMED.match(pattern, one.end())
               for one in opened)  # fmt: skip
