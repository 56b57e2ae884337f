"""TypeScript's types of the document, for the page: what it is answered, and what it may send.

`python -m query.api.document.typescript` writes them; a test compares the file with what is written
now, so that the page cannot be built against another API than the one that is served.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

from query.api.document.build import OPERATIONS
from query.api.document.operation import JSON, Operation
from query.api.document.schema import Schema
from query.api.document.shared import COMPONENTS

FILE: Final = Path(__file__).resolve().parents[3] / "web" / "src" / "api" / "types.ts"
_NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_HEAD: Final = """\
// Made by `python -m query.api.document.typescript` from the OpenAPI document: do not edit.

"""


def types_of_api() -> str:
    """The whole file."""
    parts = [_HEAD]
    for name, schema in sorted(COMPONENTS.items()):
        parts.append(_comment(schema, "") + f"export type {name} = {_type(schema, 0)};\n\n")
    parts.append("/** By operation: the body that is sent, and the answer of a success. */\n")
    parts.append("export interface Operations {\n")
    for one in sorted(OPERATIONS, key=lambda operation: operation.id):
        parts.append(_operation(one))
    parts.append("}\n\n")
    parts.append("export const PATHS = {\n")
    for one in sorted(OPERATIONS, key=lambda operation: operation.id):
        parts.append(f"  {one.id}: [{json.dumps(one.method.upper())}, {json.dumps(one.path)}],\n")
    parts.append("} as const;\n")
    return "".join(parts)


def _operation(one: Operation) -> str:
    answers = [schema for status, schema in sorted(one.answers.items()) if status < 300]
    found = {("null" if a is None else _type(a, 2)) for a in answers} if one.media == JSON else {
        "string"
    }  # fmt: skip
    body = "undefined" if one.body is None else _type(one.body, 2)
    return (
        f"  /** {one.summary.replace('*/', '')} */\n"
        f"  {one.id}: {{\n    body: {body};\n    answer: {' | '.join(sorted(found))};\n  }};\n"
    )


def _type(schema: Schema, depth: int) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        some = list(dict.fromkeys(_type(one, depth) for one in schema["anyOf"]))
        return "unknown" if "unknown" in some else " | ".join(some)
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    kind = schema.get("type")
    if kind == "array":
        inside = _type(schema["items"], depth)
        return f"({inside})[]" if " | " in inside else f"{inside}[]"
    if kind == "object":
        return _object(schema, depth)
    return {"string": "string", "integer": "number", "number": "number", "boolean": "boolean",
            "null": "null"}.get(str(kind), "unknown")  # fmt: skip


def _object(schema: Schema, depth: int) -> str:
    known: dict[str, Any] = schema.get("properties", {})
    if not known:
        others = schema.get("additionalProperties")
        inside = _type(others, depth) if isinstance(others, dict) else "unknown"
        return f"Record<string, {inside}>"
    blank = "  " * (depth + 1)
    required = set(schema.get("required", ()))
    lines = []
    for name, inside in known.items():
        shown = name if _NAME.fullmatch(name) else json.dumps(name)
        mark = "" if name in required else "?"
        lines.append(
            f"{_comment(inside, blank)}{blank}{shown}{mark}: {_type(inside, depth + 1)};\n"
        )
    return "{\n" + "".join(lines) + "  " * depth + "}"


def _comment(schema: Schema, blank: str) -> str:
    about = schema.get("description")
    return f"{blank}/** {about.replace('*/', '')} */\n" if about else ""


def main() -> int:
    """Write the file."""
    FILE.write_text(types_of_api(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
