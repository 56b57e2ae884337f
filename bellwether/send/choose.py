"""The format that a file is read as: from the options, else detected, else chosen by the user."""

from collections.abc import Callable
from typing import Final

from bellwether.send.event import UnknownFormat
from bellwether.send.formats.detect import Detected, NotSure, detect_with_reason
from bellwether.send.formats.registry import format_named
from bellwether.send.formats.text.continuation import Given
from bellwether.send.formats.text.patterns import compile_pattern
from bellwether.send.options import ReadOptions

AUTO: Final = "auto"
_NO_LINES: Final = ("json", "csv", "tsv")
AskFormat = Callable[
    [str, tuple[str, ...]], str
]  # the text, the candidates -> the one that was chosen


def choose_format(
    head: bytes, name: str, kind: str | None, options: ReadOptions, choose: AskFormat | None
) -> Detected:
    """The format of a file that begins with `head`.

    choose: asks the user on a terminal; with None the file is refused where no format is certain.
    The options are tried here, in the main thread, before anything is read. Raises UnknownFormat,
    and ValueError for an expression that cannot be used.
    """
    found = _choose(head, name, kind, options, choose)
    if options.continuation is not None and found.name in _NO_LINES:
        raise UnknownFormat(
            f"--continuation joins lines of logs; {found.name} itself says where an event ends"
        )
    format_named(found.name).reader_for(head, options)
    return found


def named_format(kind: str | None, options: ReadOptions) -> str | None:
    """The format that the options name, None if it has to be detected. Raises UnknownFormat, and
    ValueError for an expression that cannot be used.
    """
    if options.continuation is not None:
        Given(options.continuation)
    if options.pattern is not None:
        if kind not in (None, AUTO, "pattern"):
            raise UnknownFormat(f"--pattern reads lines itself: leave out --format {kind}")
        compile_pattern(options.pattern)
        return "pattern"
    if kind is not None and kind != AUTO:
        return kind
    return "csv" if options.no_header or options.header or options.columns else None


def _choose(
    head: bytes, name: str, kind: str | None, options: ReadOptions, choose: AskFormat | None
) -> Detected:
    named = named_format(kind, options)
    if named is not None:
        return Detected(named, "as the options say")
    try:
        return detect_with_reason(head, name)
    except NotSure as unsure:
        if choose is None:
            raise
        return Detected(choose(str(unsure), unsure.candidates), "chosen")
