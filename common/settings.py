"""Declares settings: each once, in the frozen dataclass of the package that uses it.

The package `bellwether` derives the configuration file's schema, environment variables, flags and
the settings page of the docs from the declarations.
"""

from dataclasses import dataclass, field, fields
from typing import Any

_HELP = "help"
_SECRET = "secret"


def setting(default: Any, help_text: str, *, secret: bool = False) -> Any:
    """A dataclass field that is a setting. Names carry their unit (`linger_ms`)."""
    return field(default=default, repr=not secret, metadata={_HELP: help_text, _SECRET: secret})


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared setting: its name in its section, type, default and what it does."""

    name: str
    type: str
    default: object
    help: str
    secret: bool


def declared(config: type) -> list[Declared]:
    """The settings that a configuration dataclass declares, in order."""
    return [
        Declared(
            f.name,
            f.type if isinstance(f.type, str) else f.type.__name__,
            f.default,
            f.metadata[_HELP],
            f.metadata[_SECRET],
        )
        for f in fields(config)
        if _HELP in f.metadata
    ]
