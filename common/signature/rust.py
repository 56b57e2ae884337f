"""Backtraces of Rust, short and full."""

import re
from typing import Final

from common.signature.stack import Frame, Stack, without_brackets

_FRAME: Final = re.compile(r"^\s*\d+:\s+(?:0x[0-9a-f]+ - )?(\S.*)$")
_CRATE_HASH: Final = re.compile(r"\[[0-9a-f]{8,16}\]")
_HASH: Final = re.compile(r"::h[0-9a-f]{16}$")
_CLOSURE: Final = re.compile(r"\{\{closure\}\}|\{closure(?:#\d+)?\}|\{closure_env(?:#\d+)?\}")
_PANIC: Final = ("rust_begin_unwind", "core::panicking", "std::panicking", "std::rt::begin_panic")
_RUNTIME: Final = re.compile(
    r"^(?:std::|core::|alloc::|__rust|rust_|_start$|__libc_|main$|_Unwind_|unknown$|clone3?$)"
)
_ASCRIBED_MAX: Final = 8  # methods of types that are written as methods; each costs the whole line
_BASIC: Final = re.compile(r"^(?:[iuf]\d+|[iu]size|bool|char|str|[&\[(*].*|dyn .*|[A-Z])$")


def read(text: str) -> Stack | None:
    """A backtrace of a panic, or of one that was taken by `std::backtrace`."""
    if "stack backtrace:" not in text and "::" not in text:
        return None
    frames: list[Frame] = []
    for line in text.splitlines():
        found = _FRAME.match(line)
        if found is None:
            continue
        name = _HASH.sub("", _CRATE_HASH.sub("", found[1].strip()))
        own, short = _short(name)
        if any(mark in name for mark in _PANIC) and not any(frame.own for frame in frames):
            frames.clear()  # the panic's own frames stand above the fault
            continue
        frames.append(Frame(short, own))
    kind = "panic" if "panicked at" in text else ""
    return Stack(kind, frames) if frames else None


def _short(name: str) -> tuple[bool, str]:
    """Whether a frame is the application's, and its name without type arguments."""
    method = ""
    for _ in range(_ASCRIBED_MAX):
        if not name.startswith("<"):  # a method: `<Type as Trait>::method`, `<Type>::method`
            break
        end = _closing(name)
        method = name[end + 1 :] + method
        name = _ascribed(name[1:end])
    bare = without_brackets(_CLOSURE.sub("closure", name), "<", ">").replace("::::", "::")
    method = without_brackets(_CLOSURE.sub("closure", method), "<", ">").replace("::::", "::")
    is_own = _RUNTIME.match(bare) is None and not (method and _BASIC.match(bare))
    return is_own, (bare + method).strip(":")


def _closing(name: str) -> int:
    """Where the bracket closes with which the name begins."""
    depth = 0
    for at, char in enumerate(name):
        if char == "<":
            depth += 1
        elif char == ">" and name[at - 1] != "-":
            depth -= 1
            if depth == 0:
                return at
    return len(name)


def _ascribed(inside: str) -> str:
    """The type of `Type as Trait`."""
    depth = 0
    for at, char in enumerate(inside):
        if char == "<":
            depth += 1
        elif char == ">" and inside[at - 1] != "-":
            depth -= 1
        elif depth == 0 and inside.startswith(" as ", at):
            return inside[:at]
    return inside
