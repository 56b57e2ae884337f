"""Structured logs: one JSON object per line on standard error, with the terms of the design.

They contain no secret and no payload: exceptions are described by `common/error_text.py`, also
those that Python itself reports (of tasks, threads and the event loop), and the secrets that a
process knows are masked in every line, also in those of libraries.
"""

import asyncio
import json
import logging
import sys
import threading
from collections.abc import Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import orjson

from common.error_text import describe_error, describe_traceback

_FIELDS = "bellwether_fields"
_MASK = "***"
_SECRET_CHARS_MIN = 8  # masking shorter texts would hit ordinary words
_logger = logging.getLogger(__name__)
# Which role of a process with several roles runs; unset in threads that all of them share.
_role: ContextVar[dict[str, str] | None] = ContextVar("bellwether_role", default=None)


class JsonFormatter(logging.Formatter):
    """A log line as JSON: time, level, role, instance, message, then the line's own fields."""

    def __init__(self, role: str, instance: str, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._process = {"role": role, "instance": instance}
        self._secrets: set[str] = set()
        for secret in secrets:
            self.mask(secret)

    def mask(self, secret: str) -> None:
        """Replace this text by stars from now on."""
        if len(secret) >= _SECRET_CHARS_MIN:
            self._secrets |= {secret, json.dumps(secret, ensure_ascii=False)[1:-1]}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            **(_role.get() or self._process),
            "message": _message(record),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = describe_traceback(record.exc_info[1])
        text = orjson.dumps(line, default=_described).decode()
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        return text


def _message(record: logging.LogRecord) -> str:
    """The message; exceptions among its arguments are described, not quoted."""
    arguments = record.args
    if isinstance(arguments, tuple) and any(isinstance(a, BaseException) for a in arguments):
        texts = tuple(describe_error(a) if isinstance(a, BaseException) else a for a in arguments)
        return str(record.msg) % texts
    return record.getMessage()


def _described(value: object) -> str:
    return describe_error(value) if isinstance(value, BaseException) else str(value)


def configure_logs(
    role: str, instance: str, level: str = "INFO", secrets: Iterable[str] = ()
) -> None:
    """Send this process's logs to standard error as JSON lines, with these secrets masked.

    What ends a thread or the process is logged the same way.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(role, instance, secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    sys.excepthook = _process_ends
    threading.excepthook = _thread_ends


def log_as(role: str, instance: str) -> None:
    """Name this role in what the current task and the tasks and threads that it starts log."""
    _role.set({"role": role, "instance": instance})


def mask_in_logs(secret: str) -> None:
    """Show stars instead of this text in all logs of this process. Call `configure_logs` first."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, JsonFormatter):
            handler.formatter.mask(secret)


def log_loop_errors(loop: asyncio.AbstractEventLoop) -> None:
    """Log the event loop's errors here: its own handler prints the arguments of callbacks."""
    loop.set_exception_handler(_loop_error)


def _loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    # The text goes on with the callback and its arguments; its first words describe it
    # about.
    about = " ".join(str(context.get("message", "")).split()[:3])
    exc_info = (type(error), error, error.__traceback__) if error is not None else None
    fields = {_FIELDS: {"about": about}}
    _logger.error("an error outside of any request", exc_info=exc_info, extra=fields)


def _process_ends(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    _logger.critical("the process ends with an error", exc_info=(kind, error, trace))


def _thread_ends(hook: threading.ExceptHookArgs) -> None:
    if hook.exc_value is None or hook.exc_type is SystemExit:
        return
    name = "" if hook.thread is None else hook.thread.name
    exc_info = (hook.exc_type, hook.exc_value, hook.exc_traceback)
    fields = {_FIELDS: {"thread": name}}
    _logger.error("a thread ended with an error", exc_info=exc_info, extra=fields)


def log_event(logger: logging.Logger, level: int, message: str, **fields: object) -> None:
    """Log a message with fields. Never pass a key, a token or a customer's payload."""
    logger.log(level, message, extra={_FIELDS: fields})
