"""Origins of pages as a setting names them: single ones, all subdomains of one, or every page."""

import re
from collections.abc import Sequence
from typing import Final

ANY: Final = "*"
_ANY_BELOW: Final = "*."
_NAME: Final = r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*"
_NAMED = re.compile(rf"(https?)://((?:\*\.)?{_NAME}|\[[0-9a-f:]+\])(:[0-9]+)?")
_LABELS = re.compile(_NAME)
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def read_origin(text: str) -> str:
    """Normalize an origin of the setting to the form that browsers send. Raises ValueError."""
    if text == ANY:
        return text
    found = _NAMED.fullmatch(text.lower())
    if found is None:
        raise ValueError(
            f"cors_origins: {text!r} is no origin; write it as https://app.example.com, with a port"
            " if it has one and without a path, https://*.example.com for all names below, or *"
            " for every page"
        )
    scheme, host, port = found.groups()
    return f"{scheme}://{host}{'' if port in (None, _DEFAULT_PORTS[scheme]) else port}"


class Origins:
    """A set of origins.

    any: whether it contains every origin.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        named = [read_origin(text) for text in texts]
        self.any = ANY in named
        self._exact = frozenset(one for one in named if _ANY_BELOW not in one)
        self._below = [one.split("*") for one in named if _ANY_BELOW in one]

    def __bool__(self) -> bool:
        return bool(self._exact or self._below)

    def __contains__(self, origin: str) -> bool:
        """Whether the set contains this origin, given in the form that browsers send."""
        if self.any or origin in self._exact:
            return True
        return any(
            origin.startswith(begin)
            and origin.endswith(end)
            and _LABELS.fullmatch(origin, len(begin), len(origin) - len(end)) is not None
            for begin, end in self._below
        )
