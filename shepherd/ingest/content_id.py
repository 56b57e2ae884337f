"""The batch id of a request that its client did not name: OTLP and Zipkin have no such ids.

Their clients repeat a request with the same bytes, so an id made of them lets the repetition be
recognised (I2). Spans and log records carry ids or times that differ, so two requests with equal
bytes are one.
"""

import hashlib


def content_id(environment: str, path: str, content: bytes) -> str:
    """The id of a request. path: its route. content: its body without its content encoding."""
    digest = hashlib.sha256(f"bellwether/content/1/{environment}/{path}/".encode())
    digest.update(content)
    return f"content-{digest.hexdigest()}"
