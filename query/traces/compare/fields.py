"""Which values of fields can be compared between two traces, and as which text."""

import math
from typing import Final

import msgspec

from common.signature.stack import without_numbers

# identify the trace, the process or the place, or are what is compared by other means
_NEVER: Final = ("trace.", "meta.", "process.", "thread.", "telemetry.", "library.", "scope.")
_NEVER_NAMES: Final = frozenset(
    {
        "duration_ms", "name", "error", "status_code", "status_message", "parent_name", "type",
        "service.instance.id", "host.name", "host.id", "net.peer.port", "net.sock.peer.port",
        "server.port", "client.port", "network.peer.port", "span.num_events", "span.num_links",
        "exception.stacktrace",
    }
)  # fmt: skip
_TELLING: Final = ("code", "status", "attempt", "attempts", "retry", "retries", "count")
_TEXT_MAX: Final = 400


def comparable(name: str, value: object, *, alone: bool) -> str | None:
    """The text by which a value is compared; None if the field is not compared.

    alone: whether two traces are compared, without others that could tell which values vary: then
    numbers count only in fields whose name says that they are a code or a count, and texts without
    their numbers and ids.
    """
    if name in _NEVER_NAMES or name.startswith(_NEVER) or value is None:
        return None
    if isinstance(value, msgspec.Raw):
        value = msgspec.json.decode(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if isinstance(value, float) and (not math.isfinite(value) or value != int(value)):
            return None  # a measured value
        last = name.lower().rsplit(".", 1)[-1].rsplit("_", 1)[-1]
        return str(int(value)) if not alone or last in _TELLING else None
    if isinstance(value, str):
        text = without_numbers(value) if alone else value
        return text[:_TEXT_MAX]
    return None
