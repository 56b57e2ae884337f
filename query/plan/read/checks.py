"""Common checks of a query specification: objects, lists, names, values."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from common import limits
from query.faults import SpecError
from query.plan.parts.conditions import Scalar


def object_of(value: object, at: str) -> dict[str, Any]:
    """The object. Raises SpecError."""
    if not isinstance(value, dict):
        raise SpecError(at, "incorrect_type", f"must be an object{'' if at else ': a query'}")
    return value


def items_of(
    spec: dict[str, Any], name: str, read: Callable[[object, str], Any], at: str = ""
) -> list[Any]:
    """The array `name`, each item read. at: where it is, if not there. Raises SpecError."""
    found = spec.get(name)
    name = at or name
    if found is None:
        return []
    if not isinstance(found, list):
        raise SpecError(name, "incorrect_type", "must be an array")
    if len(found) > limits.QUERY_LIST_ITEMS_MAX:
        most = limits.QUERY_LIST_ITEMS_MAX
        raise SpecError(name, "invalid", f"has {len(found)} items, at most {most} are allowed")
    return [read(item, f"{name}[{index}]") for index, item in enumerate(found)]


def column_of(value: object, at: str) -> str:
    """The name of a column. Raises SpecError."""
    if not isinstance(value, str):
        raise SpecError(at, "incorrect_type", "must be the name of a column, a string")
    if len(value.encode("utf-8", "surrogatepass")) > limits.STRING_BYTES_MAX:
        raise SpecError(at, "invalid", "is longer than a column's name can be")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise SpecError(at, "invalid", "holds a lone surrogate") from error
    return value


def scalar_of(value: object, at: str) -> Scalar:
    """A value to compare with. Raises SpecError."""
    if isinstance(value, bool | str):
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise SpecError(at, "invalid", "holds a lone surrogate") from error
        return value
    if isinstance(value, int):
        if -(2**63) <= value < 2**63:
            return value
        try:
            return float(value)
        except OverflowError as error:
            raise SpecError(at, "invalid", "is larger than any number that is stored") from error
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise SpecError(at, "incorrect_type", "must be a string, a number or a boolean")


def whole_of(body: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    """A whole number, which may be written as 5.0; None: it is not given. Raises SpecError."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise SpecError(name, "incorrect_type", "must be a whole number")
    if not least <= value <= most:
        raise SpecError(name, "invalid", f"must be between {least} and {most}")
    return value


def limit_of(body: Mapping[str, Any], default: int, most: int) -> int:
    """The member `limit`: how many a caller wants at most. Raises SpecError."""
    found = whole_of(body, "limit", 1, most)
    return default if found is None else found


def text_of(body: Mapping[str, Any], name: str) -> str | None:
    """A string; None: it is not given. Raises SpecError."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise SpecError(name, "incorrect_type", "must be a string")
    return value
