"""Which format a file is read as: what the user said, else what is found, else what is asked."""

from collections.abc import Callable
from typing import Final

from bellwether.send.event import UnknownFormat
from bellwether.send.formats.detect import Detected, NotSure, judge
from bellwether.send.formats.registry import format_named
from bellwether.send.formats.text.continuation import Given
from bellwether.send.formats.text.patterns import compile_pattern
from bellwether.send.options import ReadOptions

AUTO: Final = "auto"
_NO_LINES: Final = ("json", "csv", "tsv")
Ask = Callable[[str, tuple[str, ...]], str]  # the text, the candidates -> the one that was chosen


def choose_format(
    head: bytes, name: str, kind: str | None, options: ReadOptions, ask: Ask | None
) -> Detected:
    """The format of a file that begins so. `ask` is for terminals; None refuses where no format is
    sure. Raises UnknownFormat, and ValueError for an expression that cannot be used: options are
    tried here, in the main thread, before anything is read.
    """
    found = _choose(head, name, kind, options, ask)
    if options.continuation is not None and found.name in _NO_LINES:
        raise UnknownFormat(
            f"--continuation joins lines of logs; {found.name} itself says where an event ends"
        )
    format_named(found.name).reader_for(head, options)
    return found


def said_format(kind: str | None, options: ReadOptions) -> str | None:
    """The format that the options name, None if it has to be found out. Raises UnknownFormat, and
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
    head: bytes, name: str, kind: str | None, options: ReadOptions, ask: Ask | None
) -> Detected:
    said = said_format(kind, options)
    if said is not None:
        return Detected(said, "as the options say")
    try:
        return judge(head, name)
    except NotSure as unsure:
        if ask is None:
            raise
        return Detected(ask(str(unsure), unsure.candidates), "chosen")
