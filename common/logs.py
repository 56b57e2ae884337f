"""Structured logs: one JSON object per line on standard error, with the words of the design."""

import logging
import sys
from datetime import UTC, datetime

import orjson

_FIELDS = "bellwether_fields"


class JsonFormatter(logging.Formatter):
    """A log line as JSON: time, level, role, instance, message, then the line's own fields."""

    def __init__(self, role: str, instance: str) -> None:
        super().__init__()
        self._who = {"role": role, "instance": instance}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            **self._who,
            "message": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def configure_logs(role: str, instance: str, level: str = "INFO") -> None:
    """Send this process's logs to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(role, instance))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def say(logger: logging.Logger, level: int, message: str, **fields: object) -> None:
    """Log a message with fields. Never pass a key, a token or a customer's payload."""
    logger.log(level, message, extra={_FIELDS: fields})
