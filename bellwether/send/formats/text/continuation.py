"""Which lines surely go on with the one before: stack traces of the usual languages.

Without `--continuation`, only what no logger writes as an entry of its own: indented lines, the
names of exceptions that follow an entry, `Caused by:`, and the blocks of Python and Go. Anything
else that has no time is an event of its own.
"""

import re
from collections.abc import Callable

from bellwether.send.formats.text.patterns import compile_search

_INDENTED = re.compile(r"[ \t]")
_SURE = re.compile(
    r"Caused by: |Suppressed: |Wrapped by: |\.\.\. \d{1,9} (?:more|common frames omitted)"
    r"|at [\w$.<>/@-]{1,300}\("  # Java's frames where the indentation was lost
    r"|(?:[A-Za-z_][\w$]{0,100}\.){1,20}[A-Z][\w$]{0,100}(?:Exception|Error|Throwable|Failure)"
    r"\b(?::|$|\s*\()"
    r"|--- End of (?:inner exception )?stack trace"
    r"|(?:During handling of the above exception, another exception occurred"
    r"|The above exception was the direct cause of the following exception):"
)
_TRACEBACK = re.compile(r"\s*(?:\+ Exception Group )?Traceback \(most recent call last\):")
# the line after a Python traceback's frames: the exception and its text
_PYTHON_ERROR = re.compile(r"[A-Za-z_][\w.]{0,200}(?::|$)")
_GOROUTINE = re.compile(r"goroutine \d{1,18} (?:gp=\S{1,40} )?(?:m=\S{1,40} )?\[[^\]]{1,100}\]:")
_GO_FRAME = re.compile(r"(?:[\w./$*(){}\[\]-]{1,300}\(.{0,1000}\)|created by \S.{0,300})$")
_PANIC = re.compile(r"panic: |\[signal SIG|fatal error: ")


# java.util.logging has two lines: time, class and method; then level and message
_JUL_HEADER = re.compile(
    r"[A-Z][a-z]{2} \d{1,2}, \d{4} \d{1,2}:\d\d:\d\d [AP]M [\w.$]{1,300} [\w$<>]{1,200}$"
)
_JUL_MESSAGE = re.compile(r"(?:SEVERE|WARNING|INFO|CONFIG|FINE|FINER|FINEST): ")


class StackTraces:
    """The default: lines of stack traces. `has_own_header`: whether a line surely begins an entry,
    also where it looks like one of a stack trace.
    """

    def __init__(self, has_own_header: Callable[[str], bool]) -> None:
        self._has_own_header = has_own_header
        self._in_traceback = False
        self._in_goroutine = False
        self._is_jul = False

    def begin(self, text: str) -> None:
        """An entry begins: what came before is over."""
        self._in_goroutine = bool(_GOROUTINE.match(text))
        self._in_traceback = bool(_TRACEBACK.match(text))
        self._is_jul = bool(_JUL_HEADER.match(text))

    def continues(self, text: str) -> bool:
        """Whether the line goes on with the entry."""
        is_jul, self._is_jul = self._is_jul, False
        if self._has_own_header(text):
            return False
        if is_jul and _JUL_MESSAGE.match(text):
            return True
        if _TRACEBACK.match(text):
            self._in_traceback = True
            return True
        if _GOROUTINE.match(text):
            self._in_goroutine = True
            return True
        if _INDENTED.match(text) or _SURE.match(text):
            return True
        if self._in_traceback and _PYTHON_ERROR.match(text):
            self._in_traceback = False
            return True
        return self._in_goroutine and _GO_FRAME.match(text) is not None


class Given:
    """The user's expression: the lines in which the expression is found."""

    def __init__(self, expression: str) -> None:
        self._find = compile_search(expression, "--continuation")

    def begin(self, text: str) -> None:
        """Nothing to remember."""

    def continues(self, text: str) -> bool:
        """Whether the expression is found in the line."""
        return self._find(text)
