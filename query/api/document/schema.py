"""Builds JSON Schemas (draft 2020-12, as OpenAPI 3.1 has them) without braces."""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]


def text(*, least: int = 0, most: int | None = None, about: str = "") -> Schema:
    """A string of `least` to `most` characters."""
    bounds: Schema = {}
    if least:
        bounds["minLength"] = least
    if most is not None:
        bounds["maxLength"] = most
    return _described({"type": "string", **bounds}, about)


def one_of(*values: str, about: str = "") -> Schema:
    """One of these strings."""
    return _described({"type": "string", "enum": list(values)}, about)


def whole(least: int | None = None, most: int | None = None, about: str = "") -> Schema:
    """A whole number."""
    return _described({"type": "integer", **_between(least, most)}, about)


def number(least: float | None = None, most: float | None = None, about: str = "") -> Schema:
    """Any finite number."""
    return _described({"type": "number", **_between(least, most)}, about)


def flag(about: str = "") -> Schema:
    """True or false."""
    return _described({"type": "boolean"}, about)


def listed(items: Schema, *, least: int = 0, most: int | None = None, about: str = "") -> Schema:
    """An array."""
    found: Schema = {"type": "array", "items": items}
    if least:
        found["minItems"] = least
    if most is not None:
        found["maxItems"] = most
    return _described(found, about)


def members(
    known: Mapping[str, Schema],
    *,
    required: tuple[str, ...] = (),
    closed: bool = False,
    about: str = "",
) -> Schema:
    """An object. closed: no other member is allowed."""
    found: Schema = {"type": "object", "properties": dict(known)}
    if required:
        found["required"] = list(required)
    if closed:
        found["additionalProperties"] = False
    return _described(found, about)


def or_null(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def any_of(*schemas: Schema, about: str = "") -> Schema:
    """Whatever one of them allows."""
    return _described({"anyOf": list(schemas)}, about)


def ref(name: str) -> Schema:
    """A schema of the document's components."""
    return {"$ref": f"#/components/schemas/{name}"}


def anything(about: str = "") -> Schema:
    """Any JSON value."""
    return _described({}, about)


def _between(least: float | None, most: float | None) -> Schema:
    bounds = {"minimum": least, "maximum": most}
    return {name: value for name, value in bounds.items() if value is not None}


def _described(schema: Schema, about: str) -> Schema:
    return {**schema, "description": about} if about else schema
