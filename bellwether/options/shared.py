"""Options that several commands share, and how they become settings.

Settings know every role's declarations and are slow to import: client commands do without.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from bellwether.client import Target, find_target
from bellwether.options.completion import complete_server
from bellwether.options.data_folder import data_default

if TYPE_CHECKING:
    from bellwether.config.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
Flags = dict[tuple[str, str], object]


class NotUnderstood(click.ClickException):
    """A question that cannot be read: nothing was asked, and what was typed has to change."""

    exit_code = 2


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


def client_options(function: F) -> F:
    """Add --data and `server_options`; the command gets `target` instead of them."""

    @functools.wraps(function)
    def wrapper(
        url: str | None,
        key: str | None,
        server: str | None,
        data: Path,
        insecure: bool,
        **rest: Any,
    ) -> Any:
        return function(target=chosen_target(url, key, server, data, insecure), **rest)

    data_option = click.option(
        "--data", type=click.Path(path_type=Path), default=data_default,
        help="Data folder whose key and address to use on this machine.",
    )  # fmt: skip
    return cast(F, server_options(data_option(wrapper)))


def chosen_target(
    url: str | None, key: str | None, server: str | None, data: Path | None, insecure: bool
) -> Target:
    """The server that the options, the environment and this machine name. Raises ClientError."""
    target = find_target(url, key, data or data_default(), os.environ, insecure, server)
    if target.warning:
        click.echo(f"warning: {target.warning}", err=True)
    if key and sys.stderr is not None and sys.stderr.isatty():
        click.echo(
            "warning: `ps` shows --key to every user of this machine: "
            "better BELLWETHER_KEY or `bellwether login`", err=True,
        )  # fmt: skip
    return target


def server_options(function: F) -> F:
    """Add --url, --key, --server and --insecure: which server is asked, and as whom."""
    command: Any = function
    for option in (
        click.option("--insecure", is_flag=True, help="Accept any TLS certificate."),
        click.option("--server", metavar="NAME", shell_complete=complete_server, is_eager=True,
                     help="A server that `bellwether login` keeps (default: BELLWETHER_SERVER)."),
        click.option("--key", help="API key, for all to see in `ps`: better BELLWETHER_KEY or "
                     "`bellwether login` (default: the data folder's)."),
        click.option("--url", is_eager=True,
                     help="Address (default: BELLWETHER_URL, else the running `up`)."),
    ):  # fmt: skip
        command = option(command)
    return cast(F, command)


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a client command's work. Raises what it raises, KeyboardInterrupt on Ctrl-C."""
    import asyncio

    return asyncio.run(work)


def load_settings(
    config: Path | None,
    data: Path | None,
    sets: tuple[str, ...],
    flags: Mapping[tuple[str, str], object | None] | None = None,
) -> Settings:
    """The settings of a command; an error in them ends it with a clear message."""
    from bellwether.config.settings import SettingsError, load, parse_flag

    try:
        given: Flags = dict(parse_flag(text) for text in sets)
        if data is not None:
            given["node", "data"] = str(data)
        given.update({path: value for path, value in (flags or {}).items() if value is not None})
        return load(given, os.environ, Path.cwd(), config)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
