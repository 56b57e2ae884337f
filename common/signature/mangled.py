"""Names as C++ compilers write them into programs, made readable as far as a signature needs it.

Only the nested name is read (the Itanium C++ ABI, 5.1.2): arguments are skipped, as they are in
signatures. A name that cannot be read stays as it is.
"""

import re
from typing import Final

_LENGTH: Final = re.compile(r"\d+")
_SPECIAL: Final = re.compile(r"[CD]\d")
_DEPTH_MAX: Final = 100
_NESTING: Final = frozenset("NIXJF")


def readable(name: str) -> str:
    """`shop::Server::handle` of `_ZNK4shop6Server6handleEv`; any other name unchanged."""
    if not name.startswith("_Z"):
        return name
    rest = name[2:]
    lambdas = "::lambda" if rest.startswith("Z") and "Ul" in rest else ""
    rest = rest.lstrip("Z")
    try:
        parts = _nested(rest)
    except (ValueError, IndexError):
        return name
    return "::".join(parts) + lambdas if parts else name


def _nested(text: str) -> list[str]:
    at = 0
    nested = text.startswith("N")
    if nested:
        at = 1
        while text[at] in "KVrRO":  # const, volatile, restrict and reference qualifiers
            at += 1
    parts: list[str] = []
    while at < len(text):
        if text[at].isdigit():
            at, part = _identifier(text, at)
            parts.append("anonymous" if part.startswith("_GLOBAL__N_") else part)
            if not nested:
                break
        elif text[at] == "L":  # of internal linkage
            at += 1
        elif text.startswith("St", at):
            parts.append("std")
            at += 2
            if not nested and not text[at].isdigit():
                break
            if not nested:
                at, part = _identifier(text, at)
                parts.append(part)
                break
        elif text[at] == "S":
            parts.append("std")
            at = _substitution(text, at)
        elif text[at] == "I":
            at = _skipped(text, at)
        elif _SPECIAL.match(text, at):
            parts.append(parts[-1] if text[at] == "C" else f"~{parts[-1]}")
            at += 2
        elif text[at].islower() and nested:
            parts.append(f"operator {text[at : at + 2]}")
            at += 2
        else:
            break
    return parts


def _identifier(text: str, at: int) -> tuple[int, str]:
    found = _LENGTH.match(text, at)
    if found is None:
        raise ValueError(text)
    end = found.end() + int(found[0])
    if end > len(text) or end == found.end():
        raise ValueError(text)
    return end, text[found.end() : end]


def _substitution(text: str, at: int) -> int:
    """The end of `Sa`, `S_`, `S12_`."""
    if text[at + 1].islower():
        return at + 2
    return text.index("_", at) + 1


def _skipped(text: str, at: int) -> int:
    """The end of the type arguments that begin at `at`."""
    depth = 0
    while True:
        char = text[at]
        if char.isdigit():
            at, _ = _identifier(text, at)
            continue
        if char == "S":
            at = _substitution(text, at)
            continue
        if char == "T":
            at = text.index("_", at) + 1
            continue
        if char == "L":  # a literal ends at its E
            at = text.index("E", at) + 1
            continue
        if char in _NESTING:
            depth += 1
            if depth > _DEPTH_MAX:
                raise ValueError(text)
        elif char == "E":
            depth -= 1
        at += 1
        if depth == 0:
            return at
