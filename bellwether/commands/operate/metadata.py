"""`bellwether metadata`: export it to the object store, list the exports, restore one."""

import contextlib
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.table import Table

from bellwether.backends import make_objects, open_metadata
from bellwether.config.settings import Settings
from bellwether.options.shared import configuration_options, load_settings
from bellwether.output import output_console
from common.clock import SystemClock
from common.errors import BellwetherError, Conflict
from snapshot.metadata_export import MetadataExports, MetadataVersion

_LESSER = 2  # an export with less than one row for so many of another's is not chosen unasked


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except Conflict as error:
        raise click.ClickException(f"{error}; --overwrite replaces everything in it") from error
    except BellwetherError as error:
        raise click.ClickException(str(error)) from error


def _exports(settings: Settings) -> MetadataExports:
    return MetadataExports(make_objects(settings, SystemClock()))


def _refuse_lesser(versions: Sequence[MetadataVersion]) -> None:
    """Refuse to choose the newest export where an older one has far more in it: roles that were
    started on a new database have exported that meanwhile.
    """
    if not versions:
        return
    newest = versions[-1]
    fullest = max(versions, key=lambda one: (sum(one.rows.values()), one.number))
    rows, most = sum(newest.rows.values()), sum(fullest.rows.values())
    if rows * _LESSER < most:
        raise click.ClickException(
            f"the newest export, version {newest.number}, has {rows:,} rows, but version "
            f"{fullest.number} has {most:,}: the newest may be of a database that was made anew. "
            "`bellwether metadata list` shows them; say which one with --version"
        )


@click.group()
def metadata() -> None:
    """Teams, keys (hashed), datasets, queries and markers, kept in the object store too."""


@metadata.command("export")
@configuration_options
def export(config: Path | None, data: Path | None, sets: tuple[str, ...]) -> None:
    """Export the metadata now. Indexers do it every hour."""
    settings = load_settings(config, data, sets)
    with _errors(), contextlib.closing(open_metadata(settings)) as store:
        version = _exports(settings).export(
            store, f"metadata export on {socket.gethostname()}", SystemClock().now_ns()
        )
    rows = ", ".join(f"{count} {kind}" for kind, count in version.rows.items())
    click.echo(f"version {version.number}: {rows or 'empty'} ({version.size_bytes:,} bytes)")


@metadata.command("list")
@configuration_options
def list_versions(config: Path | None, data: Path | None, sets: tuple[str, ...]) -> None:
    """List the exports that are kept."""
    settings = load_settings(config, data, sets)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("version", "made", "rows", "bytes", "by"):
        table.add_column(column, overflow="fold")
    with _errors():
        for version in _exports(settings).versions():
            made = datetime.fromtimestamp(version.created_ns / 1e9, UTC)
            table.add_row(
                str(version.number), made.strftime("%Y-%m-%d %H:%M:%S"),
                f"{sum(version.rows.values()):,}", f"{version.size_bytes:,}", version.writer,
            )  # fmt: skip
    output_console().print(table)


@metadata.command("restore")
@click.option("--version", "number", type=int, help="Which export (default: the newest).")
@click.option("--overwrite", is_flag=True, help="Remove what is there before.")
@configuration_options
def restore(
    number: int | None,
    overwrite: bool,
    config: Path | None,
    data: Path | None,
    sets: tuple[str, ...],
) -> None:
    """Load an export into the metadata database, which has to be empty. Stop the roles before."""
    settings = load_settings(config, data, sets)
    with _errors(), contextlib.closing(open_metadata(settings)) as store:
        if number is None:
            _refuse_lesser(_exports(settings).versions())
        version, rows = _exports(settings).restore(store, number, overwrite=overwrite)
    click.echo(f"restored version {version.number}: {rows:,} rows")
