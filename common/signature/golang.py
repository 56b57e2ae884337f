"""Go's panics: the goroutine that failed stands first."""

import re
from typing import Final

from common.signature.stack import Frame, Stack, without_brackets

_GOROUTINE: Final = re.compile(r"^goroutine \d+ (?:\w+=\S+ )*\[", re.MULTILINE)
_STANDARD: Final = frozenset(
    [
        *("archive", "bufio", "builtin", "bytes", "cmp", "compress", "container", "context"),
        *("crypto", "database", "debug", "embed", "encoding", "errors", "expvar", "flag", "fmt"),
        *("go", "hash", "html", "image", "index", "internal", "io", "iter", "log", "maps", "math"),
        *("mime", "net", "os", "path", "plugin", "reflect", "regexp", "runtime", "slices", "sort"),
        *("strconv", "strings", "structs", "sync", "syscall", "testing", "text", "time"),
        *("unicode", "unique", "unsafe", "vendor", "weak"),
    ]
)
_METHOD: Final = re.compile(r"^(?P<package>[^.]*)\..*\.(?P<method>\(\*?\w+\)\.\w+)(?:\.|$)")
_CLOSURE: Final = re.compile(r"(?:\.(?:func)?\d+|\.gowrap\d+|-range\d+|-fm)+$")
_CLOSURE_CHARS_MAX: Final = 128  # a dozen closures within each other


def read(text: str) -> Stack | None:
    """The first goroutine of a panic or of a stack as `debug.Stack` gives it."""
    begin = _GOROUTINE.search(text)
    if begin is None:
        return None
    lines = text[begin.start() :].split("\n\n", 1)[0].splitlines()[1:]
    frames: list[Frame] = []
    for line in lines:
        if not line.endswith(")") or line.startswith(("\t", "created by ")):
            continue
        name = line.rsplit("(", 1)[0]
        if name == "panic":
            frames.clear()  # what stands before is the runtime's, or a deferred call
            continue
        package = name.rsplit("/", 1)[-1].split(".", 1)[0]
        own = (name.split("/", 1)[0] if "/" in name else package) not in _STANDARD
        frames.append(Frame(_short(name), own))
    return Stack("panic" if "panic" in text[: begin.start()] else "", frames) if frames else None


def _short(name: str) -> str:
    """Without type arguments and numbers of closures. A closure that was compiled into another
    function has that one's name in front of the method it was written in: both give the method.
    """
    folder, slash, rest = name.rpartition("/")
    bare = without_brackets(rest, "[", "]")
    closed = _without_closure(bare)
    is_closure = closed != bare
    inlined = _METHOD.match(closed)
    if is_closure and inlined is not None:
        closed = f"{inlined['package']}.{inlined['method']}"
    return folder + slash + _without_closure(closed) + (".func" if is_closure else "")


def _without_closure(name: str) -> str:
    """The name without the numbers of closures at its end: the pattern is tried at each place."""
    at = max(0, len(name) - _CLOSURE_CHARS_MAX)
    return name[:at] + _CLOSURE.sub("", name[at:])
