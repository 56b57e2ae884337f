"""`bellwether env`: the lines that let a shell reach this Bellwether, by program and by curl."""

from __future__ import annotations

import os
from pathlib import Path

import click

from bellwether.client.export import export_lines
from bellwether.client.target import DEFAULT_URL, running_url
from bellwether.options.data_folder import data_default

SHELLS = ("sh", "fish")


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=data_default,
              help="Data folder whose address and key are meant.")  # fmt: skip
@click.option("--shell", "dialect", type=click.Choice(SHELLS), default="sh",
              help="sh is for bash and zsh too.")  # fmt: skip
def env(data: Path, dialect: str) -> None:
    """Print the lines that set PATH, BELLWETHER_URL and BELLWETHER_KEY.

    \b
        eval "$(bellwether env)"

    The key itself is not printed: the line reads its file.
    """
    for line in export_lines(data, running_url(data) or DEFAULT_URL, os.environ, dialect):
        click.echo(line)
