"""What may differ between two runs of one build: times, ids, ports, places of records."""

import base64
import json
import re
from collections.abc import Mapping

_BODY = (
    (re.compile(r"127\.0\.0\.1:\d+"), "<address>"),
    (re.compile(r"\b[0-9a-f]{16}:\d+:\d+(?:,[0-9a-f]{16}:\d+:\d+)*"), "<receipt>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)?"), "<time>"),
    (re.compile(r"\b1[789]\d{8}(?:\.\d+)?\b"), "<unix s>"),
    (re.compile(r"\b1[789]\d{11}\b"), "<unix ms>"),
    (re.compile(r"\b1[789]\d{17}\b"), "<unix ns>"),
    (re.compile(r"(?<!\.)\b[0-9a-f]{11,64}\b"), "<hex>"),
    (re.compile(r"-vm-\d+|-[A-Za-z0-9-]+-\d{3,}\b"), "-<instance>"),
    (re.compile(r'"zone":"[ab]"'), '"zone":"<zone>"'),  # of the twin that was asked
    (re.compile(r'"(?:end_offset|marker)":\s*\d+'), '"offset": <n>'),
    (re.compile(r'"(?:[a-z_]*_s|[a-z_]*_ms|pid|seconds|[a-z_]*per_s)":\s*[0-9.e-]+'), "<measured>"),
)
_CURSOR = re.compile(r'"next":"([A-Za-z0-9_=-]{20,})"')
_HEADERS = {"date", "x-bellwether-receipt", "location"}


def mask(text: str, secrets: Mapping[str, str]) -> str:
    """The text with every such part replaced. secrets: what to put for texts of this run."""
    for secret, name in secrets.items():
        text = text.replace(secret, name)
    text = _CURSOR.sub(_cursor, text)
    for pattern, name in _BODY:
        text = pattern.sub(name, text)
    return text


def _cursor(found: re.Match[str]) -> str:
    """The cursor of a page of rows; partition and offset of the last row are masked."""
    text = found[1]
    try:
        parts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        parts[3][1], parts[3][3] = "<partition>", "<offset>"
    except (ValueError, LookupError, TypeError):
        return found[0]
    return f'"next":{parts}'


def with_sorted_headers(text: str) -> str:
    """An answer whose headers are in the order of their names: the two paths have orders of their
    own.
    """
    head, blank, body = text.partition("\n\n")
    first, *lines = head.split("\n")
    return "\n".join([first, *sorted(lines)]) + blank + body


def mask_header(line: str) -> str:
    """A header's line, its value left out where it differs from run to run."""
    name, colon, _ = line.partition(":")
    return f"{name}{colon} <masked>" if name.lower() in _HEADERS else line


def shape(value: object) -> str:
    """The members of a JSON value, without its numbers and texts, and of lists one entry."""
    if isinstance(value, dict):
        if value and all(name.isdigit() for name in value):
            return f"{{N: {shape(next(iter(value.values())))}}}"
        return "{" + ", ".join(f"{name}: {shape(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return f"[{shape(value[0])}]" if value else "[]"
    return "null" if value is None else type(value).__name__
