"""`bellwether keys` and `bellwether datasets`: manage metadata, of a data folder or a cluster."""

import asyncio
import contextlib
import os
import shlex
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click
from rich.markup import escape
from rich.table import Table

from bellwether.backends import open_backends
from bellwether.config.sections import BackendsConfig, MetadataKind, NodeConfig, UpConfig
from bellwether.options.shared import configuration_options, load_settings
from bellwether.output import output_console
from common.clock import SystemClock
from common.errors import BellwetherError
from common.metadata import Access, ApiKey
from common.metadata.lookup import shown_slug, shown_slugs
from common.model.names import BadDatasetName
from common.process.auth import rights_of
from common.process.role import Backends
from ops import admin

_SOON = "running roles notice within a minute"


@contextlib.contextmanager
def _opened_backends(
    config: Path | None, data: Path | None, sets: tuple[str, ...]
) -> Iterator[tuple[Backends, UpConfig]]:
    """The backends, and the names of team and environment, that the settings choose."""
    settings = load_settings(config, data, sets)
    folder = settings.section(NodeConfig).data
    in_folder = settings.section(BackendsConfig).metadata is MetadataKind.SQLITE
    if in_folder and not (folder / "metadata.db").exists():
        raise click.ClickException(f"{folder} is no data folder: name it with --data")
    try:
        backends = open_backends(settings, SystemClock())
        try:
            yield backends, settings.section(UpConfig)
        finally:
            backends.locks.close()
            backends.metadata.close()
    except (BellwetherError, BadDatasetName, ValueError) as error:
        raise click.ClickException(str(error)) from error


@contextlib.contextmanager
def _opened(
    config: Path | None, data: Path | None, sets: tuple[str, ...]
) -> Iterator[tuple[Backends, admin.Scope]]:
    """The backends and the scope (team and environment) that the settings name."""
    with _opened_backends(config, data, sets) as (backends, names):
        yield backends, admin.find_scope(backends.metadata, names.team, names.environment)


def _rights(key: ApiKey) -> list[str]:
    return [name for name in Access.__slots__ if getattr(key.access, name)]


@click.group()
def keys() -> None:
    """API keys of this machine's data folder, or of the cluster that the settings name."""


@keys.command("create")
@click.argument("name")
@click.option("--ingest", is_flag=True, help="A key that can only send events.")
@click.option("--read-only", is_flag=True, help="A key that can only ask.")
@click.option("--no-create-datasets", is_flag=True, help="Only for datasets that exist.")
@click.option("--admin", "is_admin", is_flag=True, help="May also manage the environment's keys.")
@click.option(
    "--operate", is_flag=True, help="May also see and cut the whole installation: for operators."
)
@click.option(
    "--classic", is_flag=True, help="Of the old form without an environment, 32 hex digits."
)
@click.option(
    "--import",
    "taken_over",
    type=click.File("r"),
    metavar="FILE",
    help="Take over a key that clients have: the first line of FILE (-: of the input).",
)
@click.option("--events-per-second", type=click.IntRange(0), default=0, help="0: no limit.")
@click.option("--events-per-day", type=click.IntRange(0), default=0, help="0: no limit.")
@configuration_options
def create_key(
    name: str,
    ingest: bool,
    read_only: bool,
    no_create_datasets: bool,
    is_admin: bool,
    operate: bool,
    classic: bool,
    taken_over: TextIO | None,
    events_per_second: int,
    events_per_day: int,
    config: Path | None,
    data: Path | None,
    sets: tuple[str, ...],
) -> None:
    """Create a key and print it, this once.

    Without options it may send, ask, and manage columns and datasets of its environment. Clients
    of the vendor send with a classic key to the dataset they were given, with any other to the
    name of their service. A key that is taken over keeps its form.
    """
    if classic and taken_over is not None:
        raise click.UsageError("a key that is taken over has its form already: leave out --classic")
    text = None if taken_over is None else taken_over.readline().strip()
    try:
        rights = rights_of(
            ingest=ingest,
            read_only=read_only,
            create_datasets=not no_create_datasets,
            admin=is_admin,
            operate=operate,
        )
    except BellwetherError as error:
        raise click.UsageError(str(error)) from error
    with _opened(config, data, sets) as (backends, scope):
        made, key = admin.create_key(
            backends.metadata, scope, name, rights, SystemClock(), os.urandom,
            events_per_s=events_per_second, events_per_day=events_per_day,
            classic=classic, text=text,
        )  # fmt: skip
    if text is None:
        click.echo(made)
        click.echo(f"id {key.id}; the key is shown only this once and not kept", err=True)
    else:
        click.echo(f"id {key.id}; the key is taken over and not kept", err=True)


@keys.command("set-rights")
@click.argument("key_id")
@click.option("--admin/--no-admin", "is_admin", default=None, help="Manage the environment's keys.")
@click.option("--operate/--no-operate", default=None, help="See and cut the whole installation.")
@configuration_options
def set_rights(
    key_id: str,
    is_admin: bool | None,
    operate: bool | None,
    config: Path | None,
    data: Path | None,
    sets: tuple[str, ...],
) -> None:
    """Give the key of this id (`bellwether keys list`) a right, or take it."""
    if is_admin is None and operate is None:
        raise click.UsageError("say which: --admin, --no-admin, --operate or --no-operate")
    with _opened(config, data, sets) as (backends, scope):
        key = admin.set_rights(backends.metadata, scope, key_id, admin=is_admin, operate=operate)
    click.echo(f"{key.name} may now: {', '.join(_rights(key))}; {_SOON}")


@keys.command("list")
@configuration_options
def list_keys(config: Path | None, data: Path | None, sets: tuple[str, ...]) -> None:
    """List the keys, without their texts."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("id", "name", "kind", "may", "created", "state"):
        # `keys revoke` takes the whole id
        table.add_column(column, overflow="fold", no_wrap=column == "id")
    with _opened(config, data, sets) as (backends, scope):
        for key in backends.metadata.list_keys(scope.environment.id):
            state = f"revoked {_day(key.revoked_ns)}" if key.revoked_ns else "valid"
            table.add_row(
                key.id, escape(key.name), key.kind.value, ", ".join(_rights(key)),
                _day(key.created_ns), state,
            )  # fmt: skip
    output_console().print(table)


@keys.command("revoke")
@click.argument("key_id")
@configuration_options
def revoke_key(key_id: str, config: Path | None, data: Path | None, sets: tuple[str, ...]) -> None:
    """Revoke the key of this id (`bellwether keys list`)."""
    with _opened(config, data, sets) as (backends, _):
        if not backends.metadata.revoke_key(key_id, SystemClock().now_ns()):
            raise click.ClickException(f"there is no key {key_id}")
    click.echo(f"revoked; {_SOON}")


@click.group()
def environments() -> None:
    """Environments of this machine's data folder, or of the cluster that the settings name."""


@environments.command("list")
@configuration_options
def list_environments(config: Path | None, data: Path | None, sets: tuple[str, ...]) -> None:
    """List the environments of every team."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("team", "environment", "slug"):
        table.add_column(column, overflow="fold")
    with _opened_backends(config, data, sets) as (backends, _):
        for team, environment in backends.metadata.list_environments():
            table.add_row(escape(team.name), escape(environment.name), escape(environment.slug))
    output_console().print(table)


@environments.command("create")
@click.argument("name")
@configuration_options
def create_environment(
    name: str, config: Path | None, data: Path | None, sets: tuple[str, ...]
) -> None:
    """Create an environment of the team that `up.team` names (and that team, if it is new)."""
    with _opened_backends(config, data, sets) as (backends, names):
        made = admin.ensure_scope(backends.metadata, names.team, name)
    click.echo(f"{made.environment.name} of team {made.team.name}")
    click.echo(f"keys for it: bellwether keys create NAME --set up.environment={name}", err=True)


@click.group()
def datasets() -> None:
    """Datasets of this machine's data folder, or of the cluster that the settings name."""


@datasets.command("list")
@configuration_options
def list_datasets(config: Path | None, data: Path | None, sets: tuple[str, ...]) -> None:
    """List the datasets."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("slug", "name", "depth", "kept", "protected", "created", "description"):
        table.add_column(column, overflow="fold")
    with _opened(config, data, sets) as (backends, scope):
        known = backends.metadata.list_datasets(scope.environment.id)
        slugs = shown_slugs(backends.metadata, known)
        for found in known:
            table.add_row(
                escape(slugs[found.id]), escape(found.name), str(found.expand_json_depth),
                f"{found.retention_days} d" if found.retention_days else "default",
                "yes" if found.delete_protected else "no", _day(found.created_ns),
                escape(found.description),
            )  # fmt: skip
    output_console().print(table)


@datasets.command("create")
@click.argument("name")
@click.option("--depth", type=int, default=0, help="Unpack nested objects this deep (0 to 10).")
@click.option("--description", default="")
@configuration_options
def create_dataset(
    name: str,
    depth: int,
    description: str,
    config: Path | None,
    data: Path | None,
    sets: tuple[str, ...],
) -> None:
    """Create a dataset (sending to it creates it too)."""
    with _opened(config, data, sets) as (backends, scope):
        made = admin.create_dataset(
            backends.metadata, scope, name, depth, description, SystemClock()
        )
        slug = shown_slug(backends.metadata, made)
    click.echo(f"{slug} (depth {made.expand_json_depth})")


@datasets.command("set-depth")
@click.argument("name")
@click.argument("depth", type=int)
@configuration_options
def set_depth(
    name: str, depth: int, config: Path | None, data: Path | None, sets: tuple[str, ...]
) -> None:
    """Unpack nested objects of events to come DEPTH levels deep (0 to 10)."""
    with _opened(config, data, sets) as (backends, scope):
        admin.set_depth(backends.metadata, scope, name, depth)
    click.echo(f"{name}: depth {depth} for events to come; {_SOON}")


@datasets.command("set-retention")
@click.argument("name")
@click.argument("days", type=int)
@configuration_options
def set_retention(
    name: str, days: int, config: Path | None, data: Path | None, sets: tuple[str, ...]
) -> None:
    """Keep events for DAYS days after they arrived (0: as `indexer.retention_days` says).

    What has expired comes back only by `bellwether retention restore`, while it is still stored.
    """
    with _opened(config, data, sets) as (backends, scope):
        admin.set_retention(backends.metadata, scope, name, days)
    kept = f"kept for {days} days" if days else "kept as indexer.retention_days says"
    click.echo(f"{name}: {kept}; {_SOON}")


@datasets.command("protect")
@click.argument("name")
@configuration_options
def protect_dataset(
    name: str, config: Path | None, data: Path | None, sets: tuple[str, ...]
) -> None:
    """Refuse to delete a dataset, here and over the API (new datasets are protected)."""
    with _opened(config, data, sets) as (backends, scope):
        found = admin.set_protection(backends.metadata, scope, name, protected=True)
    click.echo(f"{found.name} cannot be deleted")


@datasets.command("unprotect")
@click.argument("name")
@configuration_options
def unprotect_dataset(
    name: str, config: Path | None, data: Path | None, sets: tuple[str, ...]
) -> None:
    """Allow to delete a dataset, here and over the API."""
    with _opened(config, data, sets) as (backends, scope):
        found = admin.set_protection(backends.metadata, scope, name, protected=False)
    click.echo(f"{found.name} can be deleted: bellwether datasets delete {shlex.quote(name)}")


@datasets.command("delete")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@configuration_options
def delete_dataset(
    name: str, yes: bool, config: Path | None, data: Path | None, sets: tuple[str, ...]
) -> None:
    """Delete a dataset: none of its rows is served any more. See `unprotect`."""
    with _opened(config, data, sets) as (backends, scope):
        found = admin.find_dataset(backends.metadata, scope, name)
        admin.check_deletable(found)
        if not yes and not click.confirm(f"Delete {found.name} and every event in it?"):
            sys.exit(1)

        async def delete() -> None:
            await admin.delete_dataset(backends.metadata, backends.log, scope, name, SystemClock())
            await backends.log.close()

        asyncio.run(delete())
    click.echo(f"{found.name} is deleted; {_SOON}")


def _day(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M") if time_ns else ""
