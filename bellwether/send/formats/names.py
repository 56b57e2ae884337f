"""Names of fields that come more than once in a line."""

from collections.abc import Container


def unused_name(name: str, taken: Container[str], repeats: dict[str, int] | None = None) -> str:
    """The name, or the first of name_2, name_3 ... that is not taken: no value replaces another.

    repeats: how often each name of the line has come, so that many repeats take no search each.
    """
    if name not in taken:
        return name
    number = repeats.get(name, 1) + 1 if repeats is not None else 2
    while f"{name}_{number}" in taken:
        number += 1
    if repeats is not None:
        repeats[name] = number
    return f"{name}_{number}"
