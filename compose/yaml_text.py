"""Writes nested values as YAML: block style, texts quoted as in JSON (which YAML contains)."""

import json
from collections.abc import Mapping, Sequence

Value = str | int | bool | Sequence["Value"] | Mapping[str, "Value"]


def write_yaml(value: Mapping[str, Value]) -> str:
    """The document. Keys must be plain words."""
    return "\n".join(_mapping(value, 0)) + "\n"


def _mapping(value: Mapping[str, Value], depth: int) -> list[str]:
    lines: list[str] = []
    for key, item in value.items():
        head = "  " * depth + f"{_key(key)}:"
        if isinstance(item, Mapping) and item:
            lines += [head, *_mapping(item, depth + 1)]
        elif isinstance(item, str | int | Mapping):
            lines.append(f"{head} {_scalar(item)}")
        elif all(isinstance(part, str | int) for part in item):
            lines.append(f"{head} [{', '.join(_scalar(part) for part in item)}]")
        else:
            raise TypeError(f"{key}: a list of structures has no place here")
    return lines


def _key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() else json.dumps(key)


def _scalar(value: Value) -> str:
    return json.dumps(value)
