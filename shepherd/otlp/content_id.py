"""The batch id of a request that its client did not name: OTLP has no such ids.

The exporters of OpenTelemetry repeat a request with the same bytes, so an id made of them lets the
repetition be recognised (I2). Spans and log records carry ids or times that differ, so two requests
with equal bytes are one.
"""

import hashlib

from shepherd.otlp.decode.interface import Signal


def content_id(environment: str, signal: Signal, content: bytes) -> str:
    """The id of a request. content: its body without its content encoding."""
    digest = hashlib.sha256(f"bellwether/otlp/1/{environment}/{signal}/".encode())
    digest.update(content)
    return f"otlp-{digest.hexdigest()}"
