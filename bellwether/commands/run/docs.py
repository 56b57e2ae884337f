"""`bellwether docs`: the pages of the documentation that are generated."""

import sys

import click

from bellwether.config.docs import out_of_date, write


@click.command()
@click.option("--write", "do_write", is_flag=True, help="Write the pages that are out of date.")
def docs(do_write: bool) -> None:
    """Check that the generated files in docs/ match the declarations."""
    if do_write:
        for path in write():
            click.echo(f"wrote {path}")
        return
    stale = out_of_date()
    for path in stale:
        click.echo(f"out of date: {path} (bellwether docs --write)")
    sys.exit(1 if stale else 0)
