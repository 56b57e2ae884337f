"""`bellwether settings`: every setting, its value and where the value comes from."""

from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from bellwether.options.shared import configuration_options, load_settings
from bellwether.output import output_console


@click.command()
@configuration_options
def settings(config: Path | None, data: Path | None, sets: tuple[str, ...]) -> None:
    """Show every setting with its value, its source and what it does."""
    loaded = load_settings(config, data, sets)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("setting", "value", "from", "what it does"):
        table.add_column(name, overflow="fold")
    for item in loaded.resolved:
        table.add_row(
            Text(f"{item.section}.{item.declared.name}"),
            Text(item.shown, style="bold" if item.source != "default" else ""),
            Text(item.source, style="dim" if item.source == "default" else "green"),
            Text(item.declared.help),
        )
    output_console().print(table)
