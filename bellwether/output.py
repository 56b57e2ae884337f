"""Where commands print: tables that fit a terminal, whole values in a pipe, no control codes.

What clients sent is shown on an operator's terminal: its control characters are written out, so
that a value can neither move the cursor nor start a line.
"""

import re
import sys
from typing import Any

from rich.console import Console

_PIPE_WIDTH = 100_000  # wider than any table: what a program reads is never cut or wrapped
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def output_console(**options: Any) -> Console:
    """Standard output for people and pipes."""
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    return Console(highlight=False, width=width, **options)


def printable(text: str) -> str:
    """The text with control characters and direction marks written as escapes."""
    return _CONTROL.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    return _SHORT.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
