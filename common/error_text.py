"""Texts of exceptions that are safe for logs, responses and telemetry.

The text of a library's exception may quote secrets or payloads: an HTTP client's error holds the
headers that were sent, a parser's the bytes that it could not read. So only the text of our own
errors is shown. Of any other exception these are shown: its type, the status and the path of an
HTTP response, the operating system's text for an error number, and where in our code it was raised.
"""

import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from common.errors import BellwetherError

_ROOT: Final = Path(__file__).resolve().parent.parent
_CHAIN_MAX: Final = 8  # causes shown of one exception; longer chains add nothing
_FRAMES_MAX: Final = 40  # the innermost ones of each: enough to pass through all packages


def describe_error(error: BaseException) -> str:
    """One line about an exception, without any text that we did not write."""
    if isinstance(error, BellwetherError):
        return str(error) or type(error).__name__
    if isinstance(error, TimeoutError) and not error.errno:  # a library's own kinds of it, too
        return "no answer in time"
    name = type(error).__name__
    if isinstance(error, OSError):
        return f"{name}: {os.strerror(error.errno)}" if error.errno else name
    from aiohttp import ClientResponseError  # slow to import, and few commands need it

    if isinstance(error, ClientResponseError):
        return f"{name}: status {error.status} of {error.request_info.url.path}"
    where = _where(error)
    return f"{name} at {where}" if where else name


def describe_traceback(error: BaseException) -> str:
    """The frames of an exception and of its causes, the first cause first, without their texts."""
    return "\n".join(_lines(error))


def _lines(error: BaseException) -> Iterator[str]:
    chain: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in chain and len(chain) < _CHAIN_MAX:
        chain.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    for one in reversed(chain):
        yield from _frames(one)
        yield describe_error(one)
        if isinstance(one, BaseExceptionGroup):
            for inner in one.exceptions[:_CHAIN_MAX]:
                yield from (f"  | {line}" for line in _lines(inner))


def _frames(error: BaseException) -> Iterator[str]:
    walked = list(traceback.walk_tb(error.__traceback__))
    for frame, line in walked[-_FRAMES_MAX:]:
        code = frame.f_code
        yield f"  {_short(code.co_filename)}:{line} in {code.co_name}"


def _where(error: BaseException) -> str:
    """The innermost line of our own code that the exception passed, or nothing."""
    lines = [
        f"{_short(frame.f_code.co_filename)}:{line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if _is_ours(frame.f_code.co_filename)
    ]
    return lines[-1] if lines else ""


def _is_ours(filename: str) -> bool:
    path = Path(filename)
    return path.is_relative_to(_ROOT) and not {"site-packages", ".venv"} & set(path.parts)


def _short(filename: str) -> str:
    return str(Path(filename).relative_to(_ROOT)) if _is_ours(filename) else filename
