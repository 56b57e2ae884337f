"""Stacks of C and C++: of debuggers (`#0  0x1 in f (x=1) at f.c:3`), of sanitizers, and of glibc's
`backtrace_symbols` (`./program(f+0x1d)[0x1]`).
"""

import re
from typing import Final

from common.signature.mangled import readable
from common.signature.stack import Frame, Stack, without_brackets

_DEBUGGER: Final = re.compile(r"^\s*#\d+\s+(?:0x[0-9a-fA-F]+\s+)?(?:in\s+)?(\S.*)$")
_GLIBC: Final = re.compile(r"^\s*(\S*?)\((?:([^()+]*)(?:\+0x[0-9a-f]+)?)?\)\s?\[0x[0-9a-f]+\]$")
_APPLE: Final = re.compile(r"^\s*\d+\s+(\S+)\s+0x[0-9a-f]+\s+(.+?)(?: \+ \d+)?$")
_SIGNAL: Final = re.compile(r"Program received signal (SIG\w+)|\b(SIG(?:SEGV|ABRT|BUS|FPE|ILL))\b")
_SUFFIX: Final = re.compile(r"(?:\.(?:constprop|isra|part|cold|lto_priv|clone|llvm)(?:\.\d+)?)+$")
_ABI: Final = re.compile(r"\[abi:\w+\]")
_LAMBDA: Final = re.compile(
    r"\{lambda\([^{}]*\)(?:#\d+)?\}|\$_\d+|<lambda[^<>]*>|'lambda\d*'\([^()]*\)"
)
_FAULT: Final = re.compile(
    r"^(?:raise|abort|gsignal|__GI_raise|__GI_abort|__pthread_kill\w*|pthread_kill|__assert_fail\w*"
    r"|__assert|__cxa_throw|__cxa_rethrow|std::terminate|std::__terminate|__cxxabiv1::\S*"
    r"|<signal handler called>|_Unwind_\w+|__stack_chk_fail|__fortify_fail|__chk_fail)(?:\b|$)"
)
_RUNTIME: Final = re.compile(
    r"^(?:std::|__gnu_cxx::|__cxxabiv1::|__libc_|_start$|start_thread|clone3?$|__clone|_dl_|__sanit"
    r"|__asan|__interceptor_|operator (?:new|delete)|__GI_|_IO_|BaseThreadInitThunk|RtlUserThread)"
)
_LIBRARY: Final = re.compile(
    r"/(?:libc|libstdc\+\+|libpthread|ld-linux[\w\-]*|libgcc_s|libc\+\+)[.\-]"
)


def read(text: str) -> Stack | None:
    """A stack of C or C++ with at least one function's name."""
    frames: list[Frame] = []
    for line in text.splitlines():
        frame = _frame(line)
        if frame is None:
            continue
        if _FAULT.match(frame.name):
            frames.clear()  # a handler's own frames, and how the fault was raised
        elif not frame.name.startswith("?"):
            frames.append(frame)
    signal = _SIGNAL.search(text)
    return Stack((signal[1] or signal[2]) if signal else "", frames) if frames else None


def _frame(line: str) -> Frame | None:
    found = _GLIBC.match(line)
    if found is not None:
        path, name = found[1], readable(found[2] or "?")
        return Frame(_short(name), not (_RUNTIME.match(name) or _LIBRARY.search(path)))
    found = _DEBUGGER.match(line)
    if found is not None and not found[1].startswith(("/", "?? ")):
        name, place = _split(found[1])
        short = _short(readable(name))
        library = _LIBRARY.search(place) or "/usr/include/c++/" in place
        return Frame(short, not (_RUNTIME.match(short) or library))
    found = _APPLE.match(line)
    if found is not None:
        short = _short(readable(found[2]))
        return Frame(short, not (_RUNTIME.match(short) or found[1].startswith("lib")))
    return None


def _split(text: str) -> tuple[str, str]:
    """A debugger's frame as the function, and where it is."""
    for mark in (" at ", " from "):
        head, found, place = text.rpartition(mark)
        if found and "(" in head:
            break
    else:
        head, _, place = text.partition(" /")  # sanitizers: `f /src/f.c:3:5`
    return head, place


def _short(name: str) -> str:
    """Without arguments, type arguments, the return type, and what the compiler added."""
    if name.startswith("<signal"):
        return name
    name = _LAMBDA.sub("lambda", _ABI.sub("", name))
    name = name.replace("(anonymous namespace)", "anonymous").replace("operator()", "operator call")
    for shift in ("<<=", ">>=", "<=>", "<<", ">>", "<=", ">=", "->", "<", ">"):
        name = name.replace(f"operator{shift}", "operator " + "".join(f"{ord(c):x}" for c in shift))
    name = without_brackets(without_brackets(name, "<", ">"), "(", ")")
    name = name.replace("::const", "").replace(" const", "").strip()
    name = name.replace("lambda::operator call", "lambda")
    head, operator, rest = name.partition("operator ")
    head = head.rsplit(" ", 1)[-1]  # a template's frame begins with its return type
    return _SUFFIX.sub("", head + operator + rest.replace(" ", "")) or "?"
