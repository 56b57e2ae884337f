"""Puts the whole document together."""

from typing import Any, Final

from common.version import VERSION
from query.api.document.examples import EXAMPLES
from query.api.document.operation import JSON, Operation
from query.api.document.operations import managing, questions, resources, sending, tracing, zipkin
from query.api.document.shared import COMPONENTS

OPERATIONS: Final[tuple[Operation, ...]] = (
    *sending.OPERATIONS,
    *questions.OPERATIONS,
    *tracing.OPERATIONS,
    *managing.OPERATIONS,
    *resources.OPERATIONS,
    *zipkin.OPERATIONS,
)
_ABOUT: Final = (
    "A durable, self-hosted event store for telemetry, which speaks the public Honeycomb API. "
    "Every answer says what it covers."
)


def build_document(server: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document. server: the address that the caller used."""
    paths: dict[str, dict[str, Any]] = {}
    for one in OPERATIONS:
        paths.setdefault(one.path, {})[one.method] = described = one.described()
        if (example := EXAMPLES.get(one.id)) is not None:
            described["requestBody"]["content"][JSON]["example"] = example
    return {
        "openapi": "3.1.0",
        "info": {"title": "Bellwether", "version": VERSION, "description": _ABOUT},
        "servers": [{"url": server}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": COMPONENTS,
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-Honeycomb-Team"}
            },
        },
    }
