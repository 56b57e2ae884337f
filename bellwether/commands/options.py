"""Options that several commands share, and how they become settings."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from bellwether.settings import Settings, SettingsError, load, parse_flag

F = TypeVar("F", bound=Callable[..., Any])
Flags = dict[tuple[str, str], object]


def configuration_options(function: F) -> F:
    """Add --config, --data and --set."""
    for option in (
        click.option("--set", "sets", multiple=True, metavar="SECTION.NAME=VALUE",
                     help="Any setting (`bellwether settings` lists them); may be repeated."),
        click.option("--data", type=click.Path(path_type=Path), help="Data folder."),
        click.option("--config", type=click.Path(path_type=Path),
                     help="Configuration file (default: BELLWETHER_CONFIG, ./bellwether.toml)."),
    ):  # fmt: skip
        function = option(function)
    return function


def load_settings(
    config: Path | None,
    data: Path | None,
    sets: tuple[str, ...],
    flags: Mapping[tuple[str, str], object | None] | None = None,
) -> Settings:
    """The settings of a command; an error in them ends it with a clear message."""
    try:
        given: Flags = dict(parse_flag(text) for text in sets)
        if data is not None:
            given["node", "data"] = str(data)
        given.update({path: value for path, value in (flags or {}).items() if value is not None})
        return load(given, os.environ, Path.cwd(), config)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
