"""Where commands print: tables that fit a terminal, whole values in a pipe, no control codes.

What clients sent is shown on an operator's terminal: its control characters are written out, so
that a value can neither move the cursor nor start a line.

A terminal or pipe that is not UTF-8 gets every answer too: characters that its encoding does not
have are written as JSON writes them (`\\u540d`), so that JSON stays JSON; what Bellwether itself
draws (bars, dashes) is drawn with ASCII there.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console

_PIPE_WIDTH = 100_000  # wider than any table: what a program reads is never cut or wrapped
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPING = "bellwether-escapes"  # the name of what is done with characters that do not fit
_ASCII = "ascii_only"  # ASCII by a name that click does not take for a mistake and overrules
# what our own tables and graphs are drawn with, and what stands for it where that does not fit
_DRAWN = dict(zip("▁▂▃▄▅▆▇█", "_.:-=+*#", strict=True)) | {
    **dict.fromkeys("–—─━╌╴╶", "-"), **dict.fromkeys("│┃", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯╸╺╹╻", "+"),
    "…": "...", "×": "x", "·": ".", "•": "*", "→": "->", "≤": "<=", "≥": ">=", "µ": "u",
    "\N{NO-BREAK SPACE}": " ", "▏": "|", "▕": "|", "░": ".", "▒": ":", "▓": "%",
}  # fmt: skip


def prepare_streams() -> None:
    """Let standard output and standard error take every character, whatever their encoding."""
    codecs.register_error(_ESCAPING, _escape_unencodable)
    codecs.register(_find_ascii_only)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the process that started this one
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=_ASCII if is_ascii else None, errors=_ESCAPING)


def output_is_lost() -> bool:
    """Whether standard output takes nothing (its disk is full, say); what it holds is given up.

    Asked after an error: it is tried with what is left in its buffer and one more line break.
    """
    try:
        sys.stdout.flush()
        os.write(sys.stdout.fileno(), b"\n")
    except (BrokenPipeError, io.UnsupportedOperation):
        return False  # the reader has closed its end, or this is no file
    except OSError:
        with open(os.devnull, "wb") as nowhere:  # or the interpreter complains once more
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return True
    return False


def _find_ascii_only(name: str) -> codecs.CodecInfo | None:
    if name != _ASCII:
        return None
    known = codecs.lookup("ascii")
    return codecs.CodecInfo(
        known.encode, known.decode, known.streamreader, known.streamwriter,
        known.incrementalencoder, known.incrementaldecoder, name=_ASCII,
    )  # fmt: skip


def _escape_unencodable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    bad = error.object[error.start : error.end]
    units = bad.encode("utf-16-be", "surrogatepass")
    pairs = (units[i : i + 2].hex() for i in range(0, len(units), 2))
    return "".join(f"\\u{pair}" for pair in pairs), error.end


class _Drawn:
    """A stream on which what we draw falls back to ASCII where its encoding lacks it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._instead = _instead(stream)

    def write(self, text: str) -> int:
        return self._stream.write(text.translate(self._instead))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _instead(stream: TextIO) -> dict[int, str]:
    """What has to stand for each of our own characters on this stream."""
    return {ord(mark): plain for mark, plain in _DRAWN.items() if not fits(mark, stream)}


def drawable(text: str) -> str:
    """A table or a tree for standard output, drawn with what that can show."""
    return text if text.isascii() else text.translate(_instead(sys.stdout))


def fits(text: str, stream: TextIO) -> bool:
    """Whether the stream's encoding has these characters."""
    try:
        text.encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def output_console(**options: Any) -> Console:
    """Standard output for people and pipes."""
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    return _console(sys.stdout, width=width, **options)


def error_console(**options: Any) -> Console:
    """Standard error: progress and warnings."""
    return _console(sys.stderr, **options)


def _console(stream: TextIO, **options: Any) -> Console:
    from rich.console import Console  # slow to import: not for JSON, not for help

    return Console(file=cast(TextIO, _Drawn(stream)), highlight=False, emoji=False, **options)


def printable(text: str) -> str:
    """The text with control characters and direction marks written as escapes."""
    return _CONTROL.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    return _SHORT.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
