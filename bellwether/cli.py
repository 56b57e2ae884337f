"""The command line: `bellwether --help` lists the commands, each in its own module.

A command's module is imported only when that command runs, so that roles start quickly.
"""

import importlib

import click

from common.version import VERSION

_COMMANDS = {
    "up": ("bellwether.commands.up", "up"),
    "init": ("bellwether.commands.init", "init"),
    "shepherd": ("bellwether.commands.roles", "shepherd"),
    "indexer": ("bellwether.commands.roles", "indexer"),
    "query": ("bellwether.commands.query", "query"),
    "send": ("bellwether.commands.send", "send"),
    "tail": ("bellwether.commands.tail", "tail"),
    "status": ("bellwether.commands.status", "status"),
    "snapshot": ("bellwether.commands.snapshot", "snapshot"),
    "cut": ("bellwether.commands.snapshot", "snapshot"),
    "verify": ("bellwether.commands.verify", "verify"),
    "damage": ("bellwether.commands.damage", "damage"),
    "rolling-restart": ("bellwether.commands.rolling_restart", "rolling_restart"),
    "bootstrap": ("bellwether.commands.bootstrap", "bootstrap"),
    "retention": ("bellwether.commands.retention", "retention"),
    "metadata": ("bellwether.commands.metadata", "metadata"),
    "doctor": ("bellwether.commands.doctor", "doctor"),
    "keys": ("bellwether.commands.admin", "keys"),
    "environments": ("bellwether.commands.admin", "environments"),
    "datasets": ("bellwether.commands.admin", "datasets"),
    "settings": ("bellwether.commands.settings", "settings"),
    "docs": ("bellwether.commands.docs", "docs"),
    "version": ("bellwether.commands.version", "version"),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="bellwether")
def cli() -> None:
    """Bellwether: send wide events, ask questions about any field a second later."""


def main() -> None:
    """Run the command that the arguments name."""
    cli()
