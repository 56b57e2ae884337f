"""`bellwether version`."""

import click

from common.version import VERSION

_PACKAGES = ("aiohttp", "duckdb", "pyarrow", "numpy", "zstandard")


@click.command()
def version() -> None:
    """Print the version of Bellwether and of what it stands on."""
    import platform
    from importlib import metadata

    click.echo(f"bellwether {VERSION}")
    click.echo(f"python {platform.python_version()} on {platform.system()} {platform.machine()}")
    for package in _PACKAGES:
        try:
            click.echo(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:  # the client alone is installed
            click.echo(f"{package} is not installed")
